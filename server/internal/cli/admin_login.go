package cli

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/issuer"
)

// loginFlags say how somebody logs in.
type loginFlags struct {
	username, code string
	password       passwordFlags
	browser        bool
}

func newAdminLoginCommand(a *adminFlags) *cobra.Command {
	var flags loginFlags
	cmd := &cobra.Command{
		Use:   "login --issuer URL [--browser] [--username NAME] [--password-file FILE] [--code CODE]",
		Short: "Log in as an administrator",
		Long: `Log in as an administrator, and keep the tokens in a file of mode 0600 in the configuration directory of the user.

The name and the password are asked for at the terminal, and so is the code of an account that has a second factor. Passkeys
need a browser: with --browser the command prints the address of the page to log in on, for a browser on this machine, and
waits. Where there is none, a recovery code is a --code, too. The login before it is ended.`,
		Example: `  jot admin login --issuer https://auth.example.com --username ada --password-file password`,
		Args:    noArguments, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAdminLogin(cmd, a.issuer, flags) },
	}
	cmd.Flags().BoolVar(&flags.browser, "browser", false, "log in by a browser on this machine")
	cmd.Flags().StringVar(&flags.username, "username", "", "`NAME` of the account")
	cmd.Flags().StringVar(&flags.code, "code", "", "`CODE` of the second factor, or a recovery code")
	cmd.Flags().StringVar(&flags.password.file, "password-file", "", "`FILE` that holds the password on its one line, - for standard input")
	return cmd
}

func newAdminLogoutCommand() *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "End the login", Args: noArguments, DisableFlagsInUseLine: true,
		Long: "End the session of the login on the server, and delete its tokens here.",
		RunE: func(cmd *cobra.Command, _ []string) error { return runAdminLogout(cmd) },
	}
}

func runAdminLogin(cmd *cobra.Command, issuerURL string, flags loginFlags) error {
	if issuerURL == "" {
		return usagef("login needs --issuer URL")
	}
	issuerURL = strings.TrimSuffix(issuerURL, "/")
	if err := checkAdminURL(issuerURL); err != nil {
		return err
	}
	if flags.browser && (flags.code != "" || flags.password.file != "") {
		return usagef("--browser takes no password and no code: type them there")
	}
	tokens, err := adminTokens()
	if err != nil {
		return err
	}
	at := &adminServer{issuer: issuerURL, client: newAdminClient(identified{})}
	pair, username, err := flags.logIn(cmd, at)
	if err != nil {
		return err
	}
	err = tokens.Update(cmd.Context(), func(before jothttp.TokenPair) (jothttp.TokenPair, error) {
		if err := endAdminLogin(cmd.Context(), before); err != nil {
			warn(cmd, "the login before couldn't be ended: %v", err)
		}
		return pair, nil
	})
	if err != nil {
		return errors.Join(err, at.logOut(cmd.Context(), pair))
	}
	say(cmd, "logged in to %s as %s", issuerURL, username)
	return nil
}

// logIn returns the tokens of whoever logs in, and the name.
func (f *loginFlags) logIn(cmd *cobra.Command, at *adminServer) (pair jothttp.TokenPair, username string, err error) {
	if f.browser {
		answer, err := at.browse(cmd.Context(), f.username, func(address string) { say(cmd, "log in at %s", address) })
		if err != nil {
			return pair, "", err
		}
		return at.accept(cmd.Context(), answer, "")
	}
	if username, err = askUsername(cmd, f.username); err != nil {
		return pair, "", err
	}
	secret, err := f.password.read(cmd, false)
	if err != nil {
		return pair, "", err
	}
	pair, err = at.logIn(cmd.Context(), username, string(secret), func(factors []string) (string, error) { return askCode(cmd, f.code, factors) })
	return pair, username, err
}

// askUsername asks at the terminal itself, where no flag names the account.
func askUsername(cmd *cobra.Command, given string) (string, error) {
	if given != "" {
		return given, nil
	}
	in, out, err := openTerminal()
	if err != nil {
		return "", errors.New("there is no terminal to ask for a name: give --username NAME and --password-file FILE")
	}
	defer in.Close() // what was read and written has been checked
	defer out.Close()
	return askLine(cmd.Context(), in, out, "Username: ")
}

// askCode asks at the terminal itself for the code of a second factor, where no flag has it.
func askCode(cmd *cobra.Command, given string, factors []string) (string, error) {
	if given != "" {
		return given, nil
	}
	if slices.Contains(factors, "passkey") && !slices.Contains(factors, "totp") {
		return "", errors.New("the account has a passkey, which needs a browser: log in with --browser, or give a recovery code with --code CODE")
	}
	in, out, err := openTerminal()
	if err != nil {
		return "", errors.New("the account has a second factor, and there is no terminal to ask for its code: give --code CODE")
	}
	defer in.Close() // what was read and written has been checked
	defer out.Close()
	return askLine(cmd.Context(), in, out, "Code: ")
}

// askLine asks a question and reads the answer, unless the context ends first.
func askLine(ctx context.Context, in, out *os.File, question string) (string, error) {
	if _, err := fmt.Fprint(out, question); err != nil {
		return "", err
	}
	type result struct {
		line string
		err  error
	}
	done := make(chan result, 1)
	go func() { // ends with the line, or with the process
		line, err := bufio.NewReader(in).ReadString('\n')
		done <- result{strings.TrimSpace(line), err}
	}()
	select {
	case <-ctx.Done():
		return "", errors.New("interrupted while asking")
	case r := <-done:
		if r.err == io.EOF {
			return "", errors.New("nobody answered")
		}
		return r.line, r.err
	}
}

// logIn trades name and password, and the code of a second factor where one is demanded, for tokens of the admin API.
func (s *adminServer) logIn(ctx context.Context, username, password string, code func(factors []string) (string, error)) (jothttp.TokenPair, error) {
	var answer json.RawMessage
	err := s.ask(ctx, http.MethodPost, "/v1/login", map[string]any{
		"username": username, "password": password, "client_id": issuer.CommandClient, "resource": s.issuer + "/admin",
	}, &answer)
	if half, ok := errors.AsType[*serverError](err); ok && half.Challenge != "" {
		err = s.completeLogIn(ctx, half, code, &answer)
	}
	if err != nil {
		return jothttp.TokenPair{}, err
	}
	pair, _, err := s.accept(ctx, answer, username)
	return pair, err
}

// accept reads the answer to a login: tokens of an administrator, and the name, where it isn't known. They have to be
// of the very server that was named: those of another one, which gave them to it, would make the next command do there
// what is meant for here.
func (s *adminServer) accept(ctx context.Context, answer json.RawMessage, username string) (jothttp.TokenPair, string, error) {
	var granted struct {
		Scope string `json:"scope"`
	}
	pair, err := jothttp.ReadTokenPair(bytes.NewReader(answer), time.Now())
	if err := errors.Join(err, json.Unmarshal(answer, &granted)); err != nil {
		return jothttp.TokenPair{}, "", fmt.Errorf("the answer of %s is not what a jot server answers: %w", s.issuer, err)
	}
	if named := issuerOf(pair.Access); named != s.issuer {
		err = fmt.Errorf("%s answers with a token of %q: name the issuer by its own URL", s.issuer, named)
	} else if username == "" {
		username, err = s.nameOf(ctx, pair)
	}
	if err == nil && !slices.Contains(strings.Fields(granted.Scope), issuer.ScopeAdmin) {
		err = fmt.Errorf("%s is no administrator: an administrator may change that with 'jot admin user change %s --scope %s'", username, username, issuer.ScopeAdmin)
	}
	if err != nil {
		return jothttp.TokenPair{}, "", errors.Join(err, s.logOut(ctx, pair))
	}
	return pair, username, nil
}

// nameOf is the name of whoever has logged in, or the subject where it has none.
func (s *adminServer) nameOf(ctx context.Context, pair jothttp.TokenPair) (string, error) {
	var me struct {
		Username string `json:"username"`
		Subject  string `json:"sub"`
	}
	holder := &adminServer{issuer: s.issuer, client: s.client, token: pair.Access}
	err := holder.ask(ctx, http.MethodGet, "/v1/me", nil, &me)
	return cmp.Or(me.Username, me.Subject), err
}

func (s *adminServer) completeLogIn(ctx context.Context, half *serverError, code func(factors []string) (string, error), answer *json.RawMessage) error {
	text, err := code(half.Factors)
	if err != nil {
		return err
	}
	return s.ask(ctx, http.MethodPost, "/v1/login/factor", map[string]any{
		"challenge": half.Challenge, "code": text, "client_id": issuer.CommandClient, "resource": s.issuer + "/admin",
	}, answer)
}

// logOut ends the session of tokens on the server. One that is over is no error.
func (s *adminServer) logOut(ctx context.Context, pair jothttp.TokenPair) error {
	return s.ask(ctx, http.MethodPost, "/oauth2/revoke", map[string]any{"token": pair.Refresh, "client_id": issuer.CommandClient}, nil)
}

// endAdminLogin ends the session of tokens that were stored, if there are any, at their issuer.
func endAdminLogin(ctx context.Context, pair jothttp.TokenPair) error {
	if pair.Access == "" {
		return nil
	}
	s := &adminServer{issuer: issuerOf(pair.Access), client: newAdminClient(identified{})}
	if err := checkAdminURL(s.issuer); err != nil {
		return err
	}
	return s.logOut(ctx, pair)
}

func runAdminLogout(cmd *cobra.Command) error {
	tokens, err := adminTokens()
	if err != nil {
		return err
	}
	var failed error
	ended := false
	// A refresh at the same time comes before, and its tokens are those that end, or finds nobody logged in.
	err = tokens.Update(cmd.Context(), func(before jothttp.TokenPair) (jothttp.TokenPair, error) {
		ended, failed = before.Access != "", endAdminLogin(cmd.Context(), before)
		return jothttp.TokenPair{}, nil
	})
	if err := errors.Join(failed, err); err != nil {
		return err
	}
	if !ended {
		say(cmd, "there was no login")
		return nil
	}
	say(cmd, "logged out")
	return nil
}
