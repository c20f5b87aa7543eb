package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/template"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/config"
	"github.com/jot-auth/jot/server/issuer"
)

// The accounts of --dev.
const (
	developmentUser  = "ada"
	developmentAdmin = "root"
)

// developmentSettings are those that go with --dev.
var developmentSettings = []string{"issuer", "listen", "admin_listen", "cors.origins", "sign_up.open", "sign_up.scope", "log.format", "log.level"}

// serveDevelopment needs no configuration and keeps nothing. It doesn't look at the environment either.
func serveDevelopment(cmd *cobra.Command, given settingFlags) error {
	c, err := config.Load(config.Sources{Flags: given.given})
	if err != nil {
		return usagef("%w", err)
	}
	for path, flag := range c.Origins {
		if !slices.Contains(developmentSettings, path) {
			return usagef("--dev keeps nothing and brings its own configuration: leave out %s, or leave out --dev", flag)
		}
	}
	if given.file != "" {
		return usagef("--dev brings its own configuration: leave out --config, or leave out --dev")
	}
	if c.Origins["admin_listen"] == "" {
		c.AdminListen = ""
	}
	if err := c.CheckListen(); err != nil {
		return usagef("%w", err)
	}
	listeners, err := listen(&c.Config, nil)
	if err != nil {
		return err
	}
	defer closeAll(listeners) // ServeOn closes them first, where it came that far
	return withTemporaryDir(cmd.Context(), func(ctx context.Context, dir string) error {
		return serveIn(ctx, cmd, c, dir, listeners)
	})
}

func serveIn(ctx context.Context, cmd *cobra.Command, c *config.Loaded, dir string, listeners server.Listeners) error {
	address := cmp.Or(c.Issuer, "http://"+listeners.Public.Addr().String())
	logger, written := newLogger(cmd.ErrOrStderr(), &c.Config)
	defer written()
	settings, credential := development(address, filepath.Join(dir, "data"), logger)
	settings.SignUpScope = settings.Issuer.Resources[0].Scopes // so that everything can be tried
	if c.SignUp.Scope != nil {
		settings.SignUpScope = c.SignUp.Scope
	}
	settings.CORSOrigins = c.CORS.Origins
	settings.Mail = server.Mail{Print: cmd.OutOrStdout()}
	s, err := server.New(ctx, settings)
	if err != nil {
		return config.Named(err)
	}
	about := welcome{address, developmentUser, randomPassword(), developmentAdmin, randomPassword(), credential}
	if err := errors.Join(about.makeAccounts(ctx, s), printWelcome(cmd.OutOrStdout(), about)); err != nil {
		return errors.Join(err, s.Close())
	}
	return errors.Join(s.ServeOn(ctx, listeners), s.Close())
}

// makeAccounts makes a user, and an administrator who is nothing else.
func (w welcome) makeAccounts(ctx context.Context, s *server.Server) error {
	if _, err := s.SignUp(ctx, w.User, w.Password); err != nil {
		return err
	}
	admin, err := s.SignUp(ctx, w.Admin, w.AdminPassword)
	if err != nil {
		return err
	}
	return s.Issuer().ChangeSubject(ctx, admin, issuer.Change{Scope: []string{issuer.ScopeAdmin}})
}

// development is the configuration of --dev and of the demo: one API, a petstore, and open sign-up.
func development(issuerURL, data string, logger *slog.Logger) (settings server.Config, feedCredential string) {
	scopes := []string{"pets:read", "pets:write"}
	feedCredential = server.NewSecret().Text()
	return server.Config{
		Issuer: issuer.Config{
			URL:              issuerURL,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: scopes}},
			Clients:          []issuer.Client{{ID: config.DefaultClient, Scopes: scopes, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		DataDir:         data,
		OpenSignUp:      true,
		SignUpScope:     []string{"pets:read"},
		FeedCredentials: []string{feedCredential},
		Logger:          logger,
	}, feedCredential
}

// withTemporaryDir calls use with a new directory, and removes it afterwards.
func withTemporaryDir(ctx context.Context, use func(ctx context.Context, dir string) error) error {
	dir, err := os.MkdirTemp("", "jot-") // mode 0700
	if err != nil {
		return err
	}
	return errors.Join(use(ctx, dir), os.RemoveAll(dir))
}

// randomPassword is 130 bits in four groups that can be typed.
func randomPassword() string {
	text := strings.ToLower(rand.Text())
	return text[:7] + "-" + text[7:14] + "-" + text[14:20] + "-" + text[20:]
}

// welcome is what a person needs to begin.
type welcome struct{ Issuer, User, Password, Admin, AdminPassword, FeedCredential string }

var welcomeText = template.Must(template.New("welcome").Parse(`jot serves {{.Issuer}} for development. Nothing is kept: Ctrl-C ends it and deletes its data.

  user             {{.User}}
  password         {{.Password}}
  administrator    {{.Admin}}
  password         {{.AdminPassword}}
  feed credential  {{.FeedCredential}}

An API that verifies these tokens, from a clone:

  JOT_FEED_CREDENTIAL={{.FeedCredential}} go run ./examples/petstore/cmd/petstore -issuer {{.Issuer}}

To administer it, from another terminal:

  echo {{.AdminPassword}} | jot admin login --issuer {{.Issuer}} --username {{.Admin}} --password-file -
  jot admin user list

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
