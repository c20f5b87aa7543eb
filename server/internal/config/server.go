package config

import (
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/certificate"
	"github.com/jot-auth/jot/server/issuer"
)

// Server is the configuration of the server itself. It reads the secrets, or makes them at the first start.
func (c *Config) Server(logger *slog.Logger) (server.Config, error) {
	config, err := c.withoutSecrets()
	if err != nil {
		return config, err
	}
	config.Logger = logger
	if err := c.checkKeyNotLost(); err != nil {
		return config, err
	}
	kek, err := secret(c.KEK, "kek", c.KEKPath())
	if err != nil {
		return config, err
	}
	credential, err := secret(c.FeedCredential, "feed_credential", c.FeedCredentialPath())
	if err != nil {
		return config, err
	}
	config.Issuer.KeyEncryptionKey, config.FeedCredentials = kek.Bytes(), []string{credential.Text()}
	if err := c.Mail.open(&config.Mail); err != nil {
		return config, err
	}
	oldKEK, err1 := oldSecret("kek_old_file", c.KEKOldFile)
	oldCredential, err2 := oldSecret("feed_credential_old_file", c.FeedCredentialOldFile)
	if err := errors.Join(err1, err2); err != nil {
		return config, err
	}
	for _, old := range oldKEK {
		config.Issuer.OlderKeyEncryptionKeys = append(config.Issuer.OlderKeyEncryptionKeys, old.Bytes())
	}
	for _, old := range oldCredential {
		config.FeedCredentials = append(config.FeedCredentials, old.Text())
	}
	return config, nil
}

// oldSecret reads a secret of before, none where no file is named. It makes none.
func oldSecret(path, file string) ([]server.Secret, error) {
	if file == "" {
		return nil, nil
	}
	if missing(file) {
		return nil, fmt.Errorf("%s %s is missing: leave it out when nothing needs it any more", path, file)
	}
	old, err := server.SecretFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return []server.Secret{old}, nil
}

// Recovery is how the database of this configuration is recovered. It reads the key-encryption key, and makes none,
// since a new key opens no old database, unless the old one is lost.
func (c *Config) Recovery(keyLost bool) (server.RecoverConfig, error) {
	if c.KEK == "" && c.KEKFile == "" && c.Data == "" {
		return server.RecoverConfig{}, errors.New("name the key-encryption key with kek_file, --kek or $JOT_KEK")
	}
	if c.KEK == "" && !keyLost && missing(c.KEKPath()) {
		return server.RecoverConfig{}, fmt.Errorf("the key-encryption key %s is missing: put your copy there, or name it with kek_file, --kek or $JOT_KEK", c.KEKPath())
	}
	kek, err := secret(c.KEK, "kek", c.KEKPath())
	if err != nil {
		return server.RecoverConfig{}, err
	}
	config := server.RecoverConfig{Database: c.Database, DataDir: c.Data, URL: c.Issuer, KeyEncryptionKey: kek.Bytes(), KeyLost: keyLost, ForeignIssuers: c.foreign(), WitnessFile: c.WitnessFile}
	old, err := oldSecret("kek_old_file", c.KEKOldFile)
	for _, older := range old {
		config.OlderKeyEncryptionKeys = append(config.OlderKeyEncryptionKeys, older.Bytes())
	}
	return config, err
}

// secret reads a secret from its text, or else from its file.
func secret(text, path, file string) (server.Secret, error) {
	if text == "" {
		return server.SecretFile(file)
	}
	parsed, err := server.ParseSecret(text)
	if err != nil {
		err = fmt.Errorf("%s: %w", path, err)
	}
	return parsed, err
}

// checkKeyNotLost refuses to make a new key for a file that is encrypted under an old one. Of a PostgreSQL database
// only its keys tell.
func (c *Config) checkKeyNotLost() error {
	database := filepath.Join(c.Data, server.DatabaseName)
	if c.Database != "" || c.KEK != "" || c.KEKOldFile != "" || !missing(c.KEKPath()) || missing(database) {
		return nil
	}
	return fmt.Errorf("the database %s exists, but its key-encryption key %s is missing: put your copy back, or name it with kek_file or $JOT_KEK; where no copy is left, 'jot recover --kek-lost' keeps the accounts", database, c.KEKPath())
}

func missing(file string) bool {
	_, err := os.Lstat(file)
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) // whoever makes it will say so
}

// withoutSecrets is the configuration before its secrets are read or made, so that a wrong one leaves no file behind.
func (c *Config) withoutSecrets() (server.Config, error) {
	config := server.Config{
		Issuer: issuer.Config{
			URL:              c.Issuer,
			KeyEncryptionKey: make([]byte, len(server.NewSecret().Bytes())), // in its place; Server puts the real one
			Algorithm:        jot.Algorithm(c.Keys.Algorithm),
			AccessTTL:        c.Tokens.AccessTTL,
			IdleTTL:          c.Tokens.IdleTTL,
			AbsoluteTTL:      c.Tokens.AbsoluteTTL,
			SignInTTL:        c.Tokens.SignInTTL,
			RefreshGrace:     c.Tokens.RefreshGrace,
			KeySetMaxAge:     c.Keys.MaxAge,
			KeyLifetime:      c.Keys.Lifetime,
			SessionRetention: c.Retention.Sessions,
			EventRetention:   c.Retention.Events,
		},
		Database:         c.Database,
		DatabaseWait:     c.DatabaseWait,
		DataDir:          c.Data,
		WitnessFile:      c.WitnessFile,
		FeedMaxStaleness: c.FeedMaxStaleness,
		OpenSignUp:       c.SignUp.Open,
		InviteSignUp:     c.SignUp.Invite,
		Mail:             c.Mail.withoutSecrets(),
		SignUpScope:      c.SignUp.Scope,
		NoThrottling:     c.LogIn.NoThrottling,
		Templates:        c.LogIn.Templates,
		ProxyHeader:      c.ProxyHeader,
		CORSOrigins:      c.CORS.Origins,
	}
	if c.SignUp.Claims != "" {
		config.SignUpClaims = json.RawMessage(c.SignUp.Claims)
	}
	for _, r := range c.Resources {
		config.Issuer.Resources = append(config.Issuer.Resources, r.declared())
	}
	var errs []error
	for _, client := range c.Clients {
		declared, err := client.declared()
		config.Issuer.Clients, errs = append(config.Issuer.Clients, declared), append(errs, err)
	}
	config.Issuer.ForeignIssuers = c.foreign()
	if len(c.Clients) == 0 {
		config.Issuer.Clients = []issuer.Client{{ID: DefaultClient, Scopes: c.scopes(), FirstParty: true}}
	}
	for _, text := range c.TrustedProxies {
		network, err := parseNetwork(text)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		config.TrustedProxies = append(config.TrustedProxies, network)
	}
	return config, errors.Join(errs...)
}

func (r Resource) declared() issuer.Resource {
	return issuer.Resource{Audience: r.Audience, Name: r.Name, Scopes: r.Scopes, AccessTTL: r.AccessTTL, Algorithm: jot.Algorithm(r.Algorithm)}
}

func (c *Config) foreign() (all []issuer.ForeignIssuer) {
	for _, f := range c.Foreign {
		declared := issuer.ForeignIssuer{
			URL: f.URL, Audience: f.Audience, MaxTTL: f.MaxTTL, KeySetURL: f.KeySet, AnyType: f.AnyType, WholeSubject: f.WholeSubject,
		}
		for _, algorithm := range f.Algorithms {
			declared.Algorithms = append(declared.Algorithms, jot.Algorithm(algorithm))
		}
		all = append(all, declared)
	}
	return all
}

func (c Client) declared() (issuer.Client, error) {
	declared := issuer.Client{
		ID: c.ID, Name: c.Name, Scopes: c.Scopes, Resources: c.Resources, FirstParty: c.FirstParty,
		AccessTTL: c.AccessTTL, IdleTTL: c.IdleTTL, AbsoluteTTL: c.AbsoluteTTL, AccessType: c.AccessType, RequireDPoP: c.RequireDPoP, DeviceGrant: c.DeviceGrant, ExchangeFrom: c.ExchangeFrom, Algorithm: jot.Algorithm(c.Algorithm),
		RedirectURIs: c.RedirectURIs, PostLogoutRedirectURIs: c.PostLogout, BackchannelLogoutURI: c.Backchannel,
	}
	var err error
	if c.KeySet != "" {
		if declared.KeySet, err = issuer.ParseClientKeySet([]byte(c.KeySet)); err != nil {
			return declared, fmt.Errorf("clients: %.64q: %w", c.ID, err)
		}
	}
	if c.SecretSHA256 == "" {
		return declared, nil
	}
	if declared.SecretHash, err = hex.DecodeString(c.SecretSHA256); err != nil || len(declared.SecretHash) != sha256.Size {
		declared.SecretHash = make([]byte, sha256.Size) // what is wrong with it is said once
		err = fmt.Errorf("clients: the secret_sha256 of %.64q isn't a SHA-256 in hexadecimal, 64 characters", c.ID)
	}
	return declared, err
}

// scopes are those of all resources. Two APIs may share the name of a scope.
func (c *Config) scopes() []string {
	var all []string
	for _, r := range c.Resources {
		all = append(all, r.Scopes...)
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// parseNetwork reads a network, or one address.
func parseNetwork(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		address = address.Unmap()
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	if err != nil {
		return network, fmt.Errorf("trusted_proxies: %.64q is neither a network nor an address: write it as 10.0.0.0/8", text)
	}
	return network, nil
}

// keys are what package issuer and its neighbours call a setting, and what it's called here.
var keys = strings.NewReplacer("AbsoluteTTL", "tokens.absolute_ttl", "IdleTTL", "tokens.idle_ttl", "AccessTTL", "tokens.access_ttl",
	"SignInTTL", "tokens.sign_in_ttl", "RefreshGrace", "tokens.refresh_grace", "KeySetMaxAge", "keys.max_age", "KeyLifetime", "keys.lifetime", "SessionRetention", "retention.sessions", "EventRetention", "retention.events", "Algorithm ", "keys.algorithm ",
	"mail server", "mail.server", "mail from", "mail.from", "mail username and password", "mail.username and mail.password_file", "mail verify page", "mail.verify_page", "mail reset page", "mail.reset_page",
	"ForeignIssuers", "foreign_issuers", "Audience of", "audience of", "MaxTTL of", "max_ttl of", "Algorithms of", "algorithms of", "Database isn't", "database isn't", "DatabaseWait", "database_wait", "WitnessFile", "witness_file", "URL must", "issuer must", "URL is empty", "issuer is empty", "proxies: ", "trusted_proxies: ", "CORS origin", "cors.origins:")

// Named calls settings by the names that they have here, in an error of package server or issuer.
func Named(err error) error {
	if err == nil {
		return nil
	}
	var errs []error
	for line := range strings.SplitSeq(err.Error(), "\n") {
		errs = append(errs, errors.New(keys.Replace(line)))
	}
	return errors.Join(errs...)
}

// Certificates is how to serve TLS, nil for plain HTTP, and what answers an ACME authority on plain HTTP, nil without
// one.
func (c *Config) Certificates(logger *slog.Logger) (*tls.Config, func(http.Handler) http.Handler, error) {
	if c.TLS.Cert != "" {
		config, err := certificate.FromFiles(c.TLS.Cert, c.TLS.Key, logger)
		return config, nil, err
	}
	if len(c.ACME.Domains) == 0 {
		return nil, nil, nil
	}
	acme := c.acme()
	var err error
	if acme.Roots, err = certificates("acme.roots", c.ACME.Roots); err != nil {
		return nil, nil, err
	}
	return acme.Open()
}

func (c *Config) acme() certificate.ACME {
	return certificate.ACME{Domains: c.ACME.Domains, Email: c.ACME.Email, Directory: c.ACME.Directory, CacheDir: c.acmeCache()}
}

// certificates reads root certificates, nil where no file is named.
func certificates(path, file string) (*x509.CertPool, error) {
	if file == "" {
		return nil, nil
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	roots := x509.NewCertPool()
	if !roots.AppendCertsFromPEM(text) {
		return nil, fmt.Errorf("%s: there is no certificate in %s", path, file)
	}
	return roots, nil
}

// Logger writes text for people on a terminal, and JSON elsewhere, unless told otherwise.
func (c *Config) Logger(w io.Writer, terminal bool) *slog.Logger {
	level, err := c.logLevel()
	if err != nil {
		level = slog.LevelInfo // Validate says so
	}
	options := &slog.HandlerOptions{Level: level}
	if c.Log.Format == "text" || c.Log.Format == "auto" && terminal {
		return slog.New(slog.NewTextHandler(w, options))
	}
	return slog.New(slog.NewJSONHandler(w, options))
}

func (c *Config) logLevel() (level slog.Level, err error) {
	if err := level.UnmarshalText([]byte(c.Log.Level)); err != nil {
		return level, fmt.Errorf("log.level %.20q isn't known: use debug, info, warn or error", c.Log.Level)
	}
	return level, nil
}
