package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
)

const developmentUser = "ada"

// serveDevelopment needs no configuration and keeps nothing, unless it's told a data directory.
func serveDevelopment(cmd *cobra.Command, f serveFlags) error {
	if f.data != "" || f.database != "" || f.kekFile != "" || f.feedCredentialFile != "" || len(f.resources) > 0 {
		return usagef("--dev keeps nothing and brings its own configuration: leave out --data, --database, --kek, --feed-credential and --resource, or leave out --dev")
	}
	listener, err := listenLoopback(f.listen)
	if err != nil {
		return err
	}
	defer listener.Close() // Serve closes it first, where it came that far
	return withTemporaryDir(cmd.Context(), func(ctx context.Context, dir string) error {
		return f.serveIn(ctx, cmd, dir, listener)
	})
}

func (f serveFlags) serveIn(ctx context.Context, cmd *cobra.Command, dir string, listener net.Listener) error {
	address := cmp.Or(f.issuer, "http://"+listener.Addr().String())
	config, credential := development(address, filepath.Join(dir, "data"), newLogger(cmd.ErrOrStderr()))
	config.SignUpScope = config.Issuer.Resources[0].Scopes // so that everything can be tried
	if f.signUpScope != nil {
		config.SignUpScope = f.signUpScope
	}
	s, err := server.New(ctx, config)
	if err != nil {
		return err
	}
	password := randomPassword()
	if _, err := s.SignUp(ctx, developmentUser, password); err != nil {
		return errors.Join(err, s.Close())
	}
	if err := printWelcome(cmd.OutOrStdout(), welcome{address, developmentUser, password, credential}); err != nil {
		return errors.Join(err, s.Close())
	}
	return errors.Join(s.Serve(ctx, listener), s.Close())
}

// randomPassword is 130 bits in four groups that can be typed.
func randomPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:7] + "-" + text[7:14] + "-" + text[14:20] + "-" + text[20:]
}

// welcome is what a person needs to begin.
type welcome struct{ Issuer, User, Password, FeedCredential string }

var welcomeText = template.Must(template.New("welcome").Parse(`jot serves {{.Issuer}} for development. Nothing is kept: Ctrl-C ends it and deletes its data.

  user             {{.User}}
  password         {{.Password}}
  feed credential  {{.FeedCredential}}

An API that verifies these tokens, from a clone:

  JOT_FEED_CREDENTIAL={{.FeedCredential}} go run ./examples/petstore/cmd/petstore -issuer {{.Issuer}}

Paste this into another terminal: log in, call, refresh, log out, and be refused.

  JOT={{.Issuer}}
  TOKENS=$(curl -s $JOT/v1/login -H 'Content-Type: application/json' -d '{"username":"{{.User}}","password":"{{.Password}}"}')
  ACCESS=$(printf '%s' "$TOKENS" | sed 's/.*"access_token":"\([^"]*\)".*/\1/')
  REFRESH=$(printf '%s' "$TOKENS" | sed 's/.*"refresh_token":"\([^"]*\)".*/\1/')
  curl -s $JOT/v1/me -H "Authorization: Bearer $ACCESS"
  curl -s $JOT/v1/refresh -H 'Content-Type: application/json' -d "{\"refresh_token\":\"$REFRESH\"}"
  curl -s $JOT/v1/logout -H "Authorization: Bearer $ACCESS" -X POST -w '%{http_code}\n'
  curl -s $JOT/v1/me -H "Authorization: Bearer $ACCESS"

`))

func printWelcome(w io.Writer, about welcome) error {
	var text strings.Builder
	if err := welcomeText.Execute(&text, about); err != nil {
		return fmt.Errorf("printing the welcome: %w", err)
	}
	_, err := io.WriteString(w, text.String())
	return err
}
