package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/config"
)

const serveLong = `Serves accounts, tokens and the revocation feed from one SQLite file, or from a PostgreSQL database that several servers share.

With --dev there is nothing to configure: it listens on loopback, keeps its data in a temporary directory that is
deleted at the end, lets anybody sign up, makes a user and an administrator with random passwords, and prints lines
to begin with.

Without it, an issuer, a data directory and a resource are needed. Every setting can stand in a TOML file, in the
environment, or, as far as there is one, in a flag; the later overrides the earlier. 'jot config --help' lists the
settings, 'jot config print --defaults' writes a file to begin with, 'jot config check' says all that is wrong.

With a PostgreSQL database, the data directory only holds the feed credential; servers that share a database need the
same key-encryption key and feed credential.

The private keys in the database are encrypted under a key-encryption key, which is made at the first start beside
the data directory, outside of it and its backups: keep a copy elsewhere. It speaks TLS with certificates of yours or
of an ACME authority, and plain HTTP on loopback, or to the proxies that you name.

Environment:
  JOT_CONFIG           the configuration file, where --config isn't given
  JOT_DATABASE         the URL of a PostgreSQL database: other users of the machine see a command line
  JOT_KEK              the key-encryption key itself, instead of its file
  JOT_FEED_CREDENTIAL  the credential of the revocation feed, instead of its file`

const serveExample = `  jot serve --dev
  jot serve --issuer https://auth.example.com --data ./jot-data --resource petstore=pets:read,pets:write
  jot serve --issuer https://auth.example.com --database postgres://jot@db.example.com/jot?sslmode=verify-full --data ./jot-data --resource petstore=pets:read
  jot serve --config jot.toml`

func newServeCommand() *cobra.Command {
	var dev bool
	var given settingFlags
	command := &cobra.Command{
		Use:     "serve --dev | --config FILE | --issuer URL --data DIR --resource AUDIENCE=SCOPE,...",
		Short:   "Run the token server",
		Long:    serveLong,
		Example: serveExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if dev {
				return serveDevelopment(cmd, given)
			}
			return runServe(cmd, given)
		},
	}
	command.Flags().BoolVar(&dev, "dev", false, "for development: nothing to configure, nothing kept")
	given.register(command)
	return command
}

func runServe(cmd *cobra.Command, given settingFlags) error {
	c, err := given.load()
	if err != nil {
		return usagef("%w", err)
	}
	for _, warning := range c.Warnings {
		warn(cmd, "%s", warning)
	}
	warnOfDatabaseFlag(cmd, c)
	if c.Issuer == "" && c.Data == "" && len(c.Resources) == 0 {
		return usagef("serve needs an issuer, a data directory and a resource; or try it with --dev")
	}
	if err := c.Validate(); err != nil {
		return usagef("%w", err)
	}
	return serveConfigured(cmd, c)
}

// serveConfigured listens before it makes anything, so that a server whose address is taken leaves nothing behind.
func serveConfigured(cmd *cobra.Command, c *config.Loaded) error {
	logger, written := newLogger(cmd.ErrOrStderr(), &c.Config)
	defer written()
	listeners, err := listen(&c.Config, logger)
	if err != nil {
		return err
	}
	defer closeAll(listeners) // ServeOn closes them first, where it came that far
	settings, err := c.Server(logger)
	if err != nil {
		return err
	}
	s, err := server.NewOn(cmd.Context(), settings, listeners)
	if cmd.Context().Err() != nil && errors.Is(err, context.Canceled) { // it was told to end before it was up
		return nil
	}
	if err != nil {
		return config.Named(aboutDatabase(err))
	}
	printStart(cmd.OutOrStdout(), c, listeners)
	defer makeRoom()()
	return errors.Join(s.ServeOn(cmd.Context(), listeners), s.Close())
}

func printStart(w io.Writer, c *config.Loaded, l server.Listeners) {
	kek, credential, scheme := c.KEKPath(), c.FeedCredentialPath(), "http"
	if c.KEK != "" {
		kek = c.Origins["kek"]
	}
	if c.FeedCredential != "" {
		credential = c.Origins["feed_credential"]
	}
	if l.TLS != nil {
		scheme = "https"
	}
	fmt.Fprintf(w, "key-encryption key   %s (keep a copy elsewhere)\nfeed credential      %s\n", kek, credential)
	if c.Database != "" {
		fmt.Fprintln(w, "                     every server on this database needs the same two")
	}
	if len(c.Clients) == 0 {
		fmt.Fprintf(w, "client ID            %s\n", config.DefaultClient)
	}
	if l.Admin != nil {
		fmt.Fprintf(w, "metrics and probes   http://%s\n", l.Admin.Addr())
	}
	fmt.Fprintf(w, "jot serves %s on %s://%s\n", c.Issuer, scheme, l.Public.Addr())
}

// listen opens all that the configuration says, or nothing.
func listen(c *config.Config, logger *slog.Logger) (l server.Listeners, err error) {
	defer func() {
		if err != nil {
			closeAll(l)
		}
	}()
	l.Drain = c.Drain
	if l.TLS, l.Challenges, err = c.Certificates(logger); err != nil {
		return l, err
	}
	if l.Public, err = listenOn("listen", c.Listen); err != nil {
		return l, err
	}
	if c.TLS.Redirect != "" {
		if l.Redirect, err = listenOn("tls.redirect", c.TLS.Redirect); err != nil {
			return l, err
		}
	}
	if c.AdminListen != "" {
		l.Admin, err = listenOn("admin_listen", c.AdminListen)
	}
	return l, err
}

func listenOn(path, address string) (net.Listener, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%s: %w; choose another address with --%s, port 0 takes a free one", path, err, strings.ReplaceAll(path, "_", "-"))
	}
	return listener, nil
}

func closeAll(l server.Listeners) {
	for _, listener := range []net.Listener{l.Public, l.Redirect, l.Admin} {
		if listener != nil {
			listener.Close() // what it holds is gone either way
		}
	}
}

// newLogger is also that of what has none of its own. Call written at the end.
func newLogger(w io.Writer, c *config.Config) (logger *slog.Logger, written func()) {
	file, ok := w.(*os.File)
	lines := startLogWriter(w, func(lost int) {
		logger.Warn("lines of the log were lost: who reads it was too slow", slog.Int("lost", lost))
	})
	logger = c.Logger(lines, ok && isTerminal(file))
	slog.SetDefault(logger)
	return logger, lines.close
}
