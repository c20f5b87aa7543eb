package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

const serveLong = `Serves accounts, tokens and the revocation feed from one SQLite file, or from a PostgreSQL database that several servers share.

With --dev there is nothing to configure: it listens on loopback, keeps its data in a temporary directory that is
deleted at the end, lets anybody sign up, makes a user with a random password, and prints curl lines to begin with.

Without it, --issuer, --data and --resource are needed. With --database, the data directory only holds the feed
credential; servers that share a database need the same key-encryption key and feed credential. The private keys in the database are encrypted under a
key-encryption key, which is made at the first start beside the data directory, outside of it and its backups:
keep a copy elsewhere. It serves plain HTTP on a loopback address: put a proxy that speaks TLS in front.

Environment:
  JOT_DATABASE         the connection string, instead of --database: other users of the machine see a command line
  JOT_KEK              the key-encryption key itself, instead of its file
  JOT_FEED_CREDENTIAL  the credential of the revocation feed, instead of its file`

const serveExample = `  jot serve --dev
  jot serve --issuer https://auth.example.com --data ./jot-data --resource petstore=pets:read,pets:write
  jot serve --issuer https://auth.example.com --database postgres://jot@db.example.com/jot?sslmode=verify-full --data ./jot-data --resource petstore=pets:read`

// Names of the files that serve makes; the first stands beside the data directory, the other in it.
const (
	kekSuffix          = ".kek"
	feedCredentialFile = "feed.credential"
)

const defaultClient = issuer.ClientPrefix + "app"

type serveFlags struct {
	dev                         bool
	issuer, listen, data        string
	database                    string
	kekFile, feedCredentialFile string
	resources, signUpScope      []string
	openSignUp                  bool
}

func newServeCommand() *cobra.Command {
	var f serveFlags
	command := &cobra.Command{
		Use:     "serve --dev | --issuer URL --data DIR --resource AUDIENCE=SCOPE,...",
		Short:   "Run the token server",
		Long:    serveLong,
		Example: serveExample,
		Args:    noArguments,

		DisableFlagsInUseLine: true,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runServe(cmd, f) },
	}
	flags := command.Flags()
	flags.BoolVar(&f.dev, "dev", false, "for development: nothing to configure, nothing kept")
	flags.StringVar(&f.issuer, "issuer", "", "`URL` that tokens name as their issuer; with --dev, the address")
	flags.StringVar(&f.listen, "listen", "127.0.0.1:8420", "loopback `ADDRESS` to listen on; port 0 takes a free one")
	flags.StringVar(&f.data, "data", "", "data `DIR`; with --dev, a temporary one")
	flags.StringVar(&f.database, "database", "", "PostgreSQL `URL`, such as postgres://jot@db.example.com/jot?sslmode=verify-full, instead of a SQLite file in DIR")
	flags.StringVar(&f.kekFile, "kek", "", "`FILE` of the key-encryption key, made when missing (default DIR"+kekSuffix+")")
	flags.StringVar(&f.feedCredentialFile, "feed-credential", "", "`FILE` of the credential with which verifiers read the feed, made when missing (default DIR/"+feedCredentialFile+")")
	flags.StringArrayVar(&f.resources, "resource", nil, "`AUDIENCE=SCOPE,...` of an API that tokens are for; may be repeated, the first is the default")
	flags.BoolVar(&f.openSignUp, "open-signup", false, "let anybody make an account")
	flags.StringSliceVar(&f.signUpScope, "signup-scope", nil, "`SCOPE,...` that a new account gets")
	return command
}

func runServe(cmd *cobra.Command, f serveFlags) error {
	if f.dev {
		return serveDevelopment(cmd, f)
	}
	f.database = cmp.Or(f.database, os.Getenv("JOT_DATABASE"))
	var needed []string
	for _, required := range []struct {
		flag  string
		given bool
	}{{"--issuer URL", f.issuer != ""}, {"--data DIR", f.data != ""}, {"--resource AUDIENCE=SCOPE,...", len(f.resources) > 0}} {
		if !required.given {
			needed = append(needed, required.flag)
		}
	}
	if len(needed) > 0 {
		return usagef("serve needs %s; or try it with --dev", strings.Join(needed, " and "))
	}
	var err error
	if f.data, err = filepath.Abs(f.data); err != nil {
		return err
	}
	listener, err := listenLoopback(f.listen)
	if err != nil {
		return err
	}
	defer listener.Close() // Serve closes it first, where it came that far
	config, err := f.config(cmd.ErrOrStderr())
	if err != nil {
		return err
	}
	s, err := server.New(cmd.Context(), config)
	if err != nil {
		return aboutDatabase(err)
	}
	kek, credential := f.secretFiles()
	fmt.Fprintf(cmd.OutOrStdout(), "key-encryption key   %s (keep a copy elsewhere)\nfeed credential      %s\nclient ID            %s\njot serves %s on http://%s\n",
		kek, credential, defaultClient, f.issuer, listener.Addr())
	return errors.Join(s.Serve(cmd.Context(), listener), s.Close())
}

// listenLoopback refuses every other address: the connection isn't encrypted.
func listenLoopback(address string) (net.Listener, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, usagef("--listen %s: write it as 127.0.0.1:8420", address)
	}
	if ip, err := netip.ParseAddr(host); host != "localhost" && (err != nil || !ip.IsLoopback()) {
		return nil, usagef("--listen %s: passwords and tokens would travel unencrypted; listen on 127.0.0.1, and put a proxy that speaks TLS in front", address)
	}
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("%w; choose another address with --listen, port 0 takes a free one", err)
	}
	return listener, nil
}

// config reads the secrets, or makes them at the first start.
func (f serveFlags) config(log io.Writer) (server.Config, error) {
	resources, scopes, err := parseResources(f.resources)
	if err != nil {
		return server.Config{}, err
	}
	config := f.configWithout(resources, scopes, log)
	if err := config.Validate(); err != nil {
		return server.Config{}, usagef("%w", err)
	}
	if err := errors.Join(checkOutside(f.kekPath(), f.data), f.checkKeyNotLost()); err != nil {
		return server.Config{}, err
	}
	kek, err := readOrMakeSecret("JOT_KEK", f.kekPath())
	if err != nil {
		return server.Config{}, err
	}
	credential, err := readOrMakeSecret("JOT_FEED_CREDENTIAL", f.feedCredentialPath())
	if err != nil {
		return server.Config{}, err
	}
	config.Issuer.KeyEncryptionKey, config.FeedCredentials = kek.Bytes(), []string{credential.Text()}
	return config, nil
}

func (f serveFlags) kekPath() string { return cmp.Or(f.kekFile, f.data+kekSuffix) }

func (f serveFlags) feedCredentialPath() string {
	return cmp.Or(f.feedCredentialFile, filepath.Join(f.data, feedCredentialFile))
}

// secretFiles names the files of the key-encryption key and the feed credential, where the environment doesn't hold them.
func (f serveFlags) secretFiles() (kek, feedCredential string) {
	kek, feedCredential = f.kekPath(), f.feedCredentialPath()
	if os.Getenv("JOT_KEK") != "" {
		kek = "$JOT_KEK"
	}
	if os.Getenv("JOT_FEED_CREDENTIAL") != "" {
		feedCredential = "$JOT_FEED_CREDENTIAL"
	}
	return kek, feedCredential
}

// configWithout is the configuration before its secrets are read or made: a wrong command line leaves no file behind.
func (f serveFlags) configWithout(resources []issuer.Resource, scopes []string, log io.Writer) server.Config {
	return server.Config{
		Issuer: issuer.Config{
			URL:              f.issuer,
			Resources:        resources,
			Clients:          []issuer.Client{{ID: defaultClient, Scopes: scopes, FirstParty: true}},
			KeyEncryptionKey: server.NewSecret().Bytes(),
		},
		Database:    f.database,
		DataDir:     f.data,
		OpenSignUp:  f.openSignUp,
		SignUpScope: f.signUpScope,
		Logger:      newLogger(log),
	}
}

// checkOutside refuses a key-encryption key in the data directory: whoever got a copy of that would have both.
func checkOutside(kekFile, data string) error {
	file, err := filepath.Abs(kekFile)
	if err != nil {
		return err
	}
	if inside, err := filepath.Rel(data, file); err == nil && filepath.IsLocal(inside) {
		return usagef("--kek %s is inside the data directory, whose backups it must not be in: name a file outside of %s", kekFile, data)
	}
	return nil
}

// checkKeyNotLost refuses to make a new key for a file that is encrypted under an old one. Of a PostgreSQL database only its keys tell.
func (f serveFlags) checkKeyNotLost() error {
	database := filepath.Join(f.data, server.DatabaseName)
	if f.database != "" || os.Getenv("JOT_KEK") != "" || !missing(f.kekPath()) || missing(database) {
		return nil
	}
	return fmt.Errorf("the database %s exists, but its key-encryption key %s is missing: put your copy back, or name it with --kek or JOT_KEK", database, f.kekPath())
}

func missing(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, fs.ErrNotExist)
}

func readOrMakeSecret(variable, file string) (server.Secret, error) {
	if text := os.Getenv(variable); text != "" {
		secret, err := server.ParseSecret(text)
		if err != nil {
			return secret, fmt.Errorf("$%s: %w", variable, err)
		}
		return secret, nil
	}
	return server.SecretFile(file)
}

// parseResources reads AUDIENCE=SCOPE,... and returns every scope beside.
func parseResources(texts []string) (resources []issuer.Resource, scopes []string, err error) {
	for _, text := range texts {
		audience, list, _ := strings.Cut(text, "=")
		if audience == "" || list == "" {
			return nil, nil, usagef("--resource %s: write it as petstore=pets:read,pets:write", text)
		}
		resource := issuer.Resource{Audience: audience}
		for scope := range strings.SplitSeq(list, ",") {
			if scope != "" {
				resource.Scopes = append(resource.Scopes, scope)
			}
		}
		resources = append(resources, resource)
		scopes = append(scopes, resource.Scopes...)
	}
	slices.Sort(scopes)
	return resources, slices.Compact(scopes), nil // two APIs may share the name of a scope
}

// newLogger writes text for people on a terminal, and JSON elsewhere.
func newLogger(w io.Writer) *slog.Logger {
	if file, ok := w.(*os.File); ok && isTerminal(file) {
		return slog.New(slog.NewTextHandler(w, nil))
	}
	return slog.New(slog.NewJSONHandler(w, nil))
}

// development is the configuration of --dev and of the demo: one API, a petstore, and open sign-up.
func development(issuerURL, data string, logger *slog.Logger) (config server.Config, feedCredential string) {
	scopes := []string{"pets:read", "pets:write"}
	feedCredential = server.NewSecret().Text()
	return server.Config{
		Issuer: issuer.Config{
			URL:              issuerURL,
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: scopes}},
			Clients:          []issuer.Client{{ID: defaultClient, Scopes: scopes, FirstParty: true}},
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
