package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server/issuer"
)

func newAdminLoginCommand(a *adminFlags) *cobra.Command {
	var username string
	var password passwordFlags
	cmd := &cobra.Command{
		Use:   "login --issuer URL [--username NAME] [--password-file FILE]",
		Short: "Log in as an administrator",
		Long: `Log in as an administrator, and keep the tokens in a file of mode 0600 in the configuration directory of the user.

The name and the password are asked for at the terminal. The login before it is ended.`,
		Example: `  jot admin login --issuer https://auth.example.com --username ada --password-file password`,
		Args:    noArguments, DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error { return runAdminLogin(cmd, a.issuer, username, password) },
	}
	cmd.Flags().StringVar(&username, "username", "", "`NAME` of the account")
	cmd.Flags().StringVar(&password.file, "password-file", "", "`FILE` that holds the password on its one line, - for standard input")
	return cmd
}

func newAdminLogoutCommand(a *adminFlags) *cobra.Command {
	return &cobra.Command{
		Use: "logout", Short: "End the login", Args: noArguments, DisableFlagsInUseLine: true,
		Long: "End the session of the login on the server, and delete its tokens here.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			ended, err := endAdminLogin(cmd.Context())
			if err != nil {
				return err
			}
			if !ended {
				say(cmd, "there was no login")
				return nil
			}
			say(cmd, "logged out")
			return nil
		},
	}
}

func runAdminLogin(cmd *cobra.Command, issuerURL, username string, password passwordFlags) error {
	if issuerURL == "" {
		return usagef("login needs --issuer URL")
	}
	issuerURL = strings.TrimSuffix(issuerURL, "/")
	if err := checkAdminURL(issuerURL); err != nil {
		return err
	}
	username, err := askUsername(cmd, username)
	if err != nil {
		return err
	}
	secret, err := password.read(cmd, false)
	if err != nil {
		return err
	}
	login, err := logInAdmin(cmd.Context(), issuerURL, username, string(secret))
	if err != nil {
		return err
	}
	if _, err := endAdminLogin(cmd.Context()); err != nil {
		warn(cmd, "the login before couldn't be ended: %v", err)
	}
	file, err := adminLoginFile()
	if err == nil {
		err = file.save(login)
	}
	if err != nil {
		return errors.Join(err, logOutAdmin(cmd.Context(), login))
	}
	say(cmd, "logged in to %s as %s", issuerURL, username)
	return nil
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
		return r.line, r.err
	}
}

// logInAdmin trades name and password for tokens of the admin API.
func logInAdmin(ctx context.Context, issuerURL, username, password string) (adminLogin, error) {
	var tokens adminTokens
	err := callServer(ctx, issuerURL, "", http.MethodPost, "/v1/login", map[string]any{
		"username": username, "password": password, "client_id": issuer.CommandClient, "resource": issuerURL + "/admin",
	}, &tokens)
	if err != nil {
		return adminLogin{}, err
	}
	login := adminLogin{Issuer: issuerURL, Username: username}
	login.take(tokens)
	if slices.Contains(strings.Fields(tokens.Scope), issuer.ScopeAdmin) {
		return login, nil
	}
	err = fmt.Errorf("%s is no administrator: an administrator may change that with 'jot admin user change %s --scope %s'", username, username, issuer.ScopeAdmin)
	return adminLogin{}, errors.Join(err, logOutAdmin(ctx, login))
}

// logOutAdmin ends the session of a login on the server. One that is over is no error.
func logOutAdmin(ctx context.Context, login adminLogin) error {
	return callServer(ctx, login.Issuer, "", http.MethodPost, "/oauth2/revoke", map[string]any{
		"token": login.Refresh, "client_id": issuer.CommandClient,
	}, nil)
}

// endAdminLogin ends the login that is stored, if there is one: on the server, and then here.
func endAdminLogin(ctx context.Context) (ended bool, err error) {
	file, err := adminLoginFile()
	if err != nil {
		return false, err
	}
	login, err := file.load()
	if errors.Is(err, errNoLogin) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	failed := logOutAdmin(ctx, login)
	return true, errors.Join(failed, file.remove())
}
