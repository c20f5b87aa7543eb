// Package config is how the server is told what to be: defaults < a TOML file < environment variables < flags.
//
// Config is the one place that names a setting: its key, its flag, what it means and an example stand in its tags. The
// sample file, the environment variables, docs/configuration.md and the manual page are made of them.
package config

import (
	"cmp"
	"path/filepath"
	"time"
)

// DefaultClient is the first-party client that there is when none is configured.
const DefaultClient = "client_app"

// Config is the whole configuration. The tags of a field say:
//
//	toml    its key within its table
//	flag    the flag of jot serve, where it has one
//	value   what the flag's value is called
//	doc     what it means
//	example what the sample file shows, where the default is nothing
//	from    "env" keeps a secret out of the file
type Config struct {
	Issuer       string        `toml:"issuer" flag:"issuer" value:"URL" doc:"URL that tokens name as their issuer, and base of its addresses: https, without a slash at the end. It's never taken from a request. Required." example:"https://auth.example.com"`
	Listen       string        `toml:"listen" flag:"listen" value:"ADDRESS" doc:"Address to listen on; port 0 takes a free one. Without TLS it's on loopback, or everybody but trusted_proxies is refused."`
	Data         string        `toml:"data" flag:"data" value:"DIR" doc:"Directory of the SQLite database. The server makes it, with mode 0700. Required." example:"/var/lib/jot"`
	Database     string        `toml:"database" flag:"database" value:"URL" doc:"URL of a PostgreSQL database that several servers may share, instead of SQLite: postgres://user@host/name?sslmode=verify-full. With a password in it the file must be for you alone; other users of the machine can read the flag. The data directory is needed all the same." example:"postgres://jot@db.example.com/jot?sslmode=verify-full"`
	DatabaseWait time.Duration `toml:"database_wait" doc:"For how long the server waits at its start for a PostgreSQL database that can't be reached, up to 1h. Meanwhile /healthz answers, and everything else with 503. 0s: it ends at once."`

	KEK        string `toml:"kek" from:"env" doc:"Key-encryption key itself, 32 bytes in base64url, instead of a file."`
	KEKFile    string `toml:"kek_file" flag:"kek" value:"FILE" doc:"File of the key-encryption key, which encrypts private keys in the database. The server makes it when there is no database yet, and over PostgreSQL whenever it's missing: give it to the other servers first. Outside of the data directory and its backups: keep a copy elsewhere. Empty: the data directory's name with .kek behind it."`
	KEKOldFile string `toml:"kek_old_file" flag:"kek-old" value:"FILE" doc:"File of the key-encryption key of before. What is encrypted under it is encrypted anew at the next start; after that only older backups need it."`

	FeedCredential        string `toml:"feed_credential" from:"env" doc:"Credential with which verifiers read the revocation feed, instead of a file."`
	FeedCredentialFile    string `toml:"feed_credential_file" flag:"feed-credential" value:"FILE" doc:"File of the credential with which verifiers read the revocation feed, made when missing: servers that share a database need the same. Empty: feed.credential in the data directory."`
	WitnessFile           string `toml:"witness_file" flag:"witness" value:"FILE" doc:"File that remembers how far the revocation log has come, so that a database that comes back from the past is seen. It's outside of the data directory and its backups, and each server has its own. Empty: the data directory's name with .witness behind it."`
	FeedCredentialOldFile string `toml:"feed_credential_old_file" doc:"File of the feed credential of before, which is accepted as well while verifiers change over."`

	FeedMaxStaleness time.Duration `toml:"feed_max_staleness" doc:"MaxStaleness that a verifier may have, 2s to 1h. A request with ?wait=enforced waits so long, and two seconds, for verifiers that can't be reached."`

	TrustedProxies []string `toml:"trusted_proxies" flag:"trusted-proxy" value:"NETWORK" doc:"Networks of the proxies in front. Only they may say who a request comes from; and with them listen may be other than loopback without TLS." example:"10.0.0.0/8"`
	ProxyHeader    string   `toml:"proxy_header" doc:"Header in which they say it: X-Forwarded-For or Forwarded. They must overwrite it, or add to it."`

	AdminListen string        `toml:"admin_listen" flag:"admin-listen" value:"ADDRESS" doc:"Address for /metrics, /healthz, /readyz and, to this machine alone, /debug/pprof; never let it be reached from outside. Empty: none."`
	Drain       time.Duration `toml:"drain" doc:"For how long /readyz answers 503 before the server stops, so that a load balancer notices: up to 1m."`

	TLS       TLS       `toml:"tls"`
	ACME      ACME      `toml:"acme"`
	CORS      CORS      `toml:"cors"`
	LogIn     LogIn     `toml:"log_in"`
	SignUp    SignUp    `toml:"sign_up"`
	Mail      Mail      `toml:"mail"`
	Tokens    Tokens    `toml:"tokens"`
	Keys      Keys      `toml:"keys"`
	Retention Retention `toml:"retention"`
	Log       Log       `toml:"log"`

	Resources []Resource `toml:"resources" flag:"resource" value:"AUDIENCE=SCOPE,..." doc:"APIs that tokens are for; the first is the default. Required."`
	Foreign   []Foreign  `toml:"foreign_issuers" from:"file" doc:"Other issuers whose logout tokens (OpenID Connect Back-Channel Logout 1.0) /feed/backchannel-logout takes, so that the revocation feed tells which of their tokens are refused."`
	Clients   []Client   `toml:"clients" from:"file" doc:"Programs that get tokens; the first first-party client is the default. Without any there is client_app, first-party, with every scope."`
}

// TLS are certificates of one's own.
type TLS struct {
	Cert     string `toml:"cert" flag:"tls-cert" value:"FILE" doc:"PEM file of the TLS certificate and those between it and its root. It's read again when it changes." example:"/etc/jot/tls.crt"`
	Key      string `toml:"key" flag:"tls-key" value:"FILE" doc:"PEM file of its private key, for you alone." example:"/etc/jot/tls.key"`
	Redirect string `toml:"redirect" doc:"Address for plain HTTP that leads to the issuer's URL, and answers ACME's HTTP-01 challenges. Empty: none." example:":80"`
}

// ACME are certificates of an authority.
type ACME struct {
	Domains   []string `toml:"domains" doc:"Names for which to get a certificate from an ACME authority, exactly these. It asks on port 443 (TLS-ALPN-01), or on tls.redirect at port 80. You agree to the authority's terms." example:"auth.example.com"`
	Email     string   `toml:"email" doc:"Where the authority may write to." example:"ops@example.com"`
	Directory string   `toml:"directory" doc:"URL of the authority. Empty: Let's Encrypt."`
	Cache     string   `toml:"cache" doc:"Directory for keys and certificates, mode 0700. Empty: acme in the data directory."`
	Roots     string   `toml:"roots" doc:"PEM file of the root certificates of the authority's own address. Empty: the system's."`
}

// CORS are other origins' pages.
type CORS struct {
	Origins []string `toml:"origins" flag:"cors-origin" value:"ORIGIN" doc:"Origins whose pages may use /v1, the token endpoints and /userinfo from a browser, exactly as browsers send them. No patterns." example:"https://app.example.com"`
}

// LogIn is what POST /v1/login and the page to log in on do.
type LogIn struct {
	Templates    string `toml:"templates" doc:"Directory of pages of your own, in the place of the built-in ones of the same name, such as login.html and style.css: see docs/http-api.md. They are read at the start." example:"/etc/jot/pages"`
	NoThrottling bool   `toml:"no_throttling" doc:"Lets anybody guess passwords as fast as the server hashes: only where something in front of it throttles."`
}

// SignUp is what POST /v1/signup does.
type SignUp struct {
	Open   bool     `toml:"open" flag:"open-signup" doc:"Whether anybody may make an account."`
	Invite bool     `toml:"invite" flag:"invite-signup" doc:"Whether whoever has an invitation of an administrator may make an account; with sign_up.open everybody may."`
	Scope  []string `toml:"scope" flag:"signup-scope" value:"SCOPE" doc:"Scope that a new account gets." example:"pets:read"`
	Claims string   `toml:"claims" doc:"Claims of a new account's tokens, a JSON object." example:"{\"role\":\"customer\"}"`
}

// Mail is how people are written to: to verify an address, to choose a new password.
type Mail struct {
	Server       string `toml:"server" doc:"SMTP server that takes letters. TLS comes first on port 465 and with STARTTLS on others; only a server on this machine may do without. Empty: no letters are sent, and no password can be reset by mail." example:"smtp.example.com:587"`
	From         string `toml:"from" doc:"Who letters are from." example:"Example <auth@example.com>"`
	Username     string `toml:"username" doc:"For a server that asks who sends." example:"jot"`
	Password     string `toml:"password" from:"env" doc:"Password of that user, instead of a file."`
	PasswordFile string `toml:"password_file" doc:"File of that password, on its one line, for you alone." example:"/etc/jot/mail.password"`
	Roots        string `toml:"roots" doc:"PEM file of the root certificates of the server. Empty: the system's."`
	VerifyPage   string `toml:"verify_page" doc:"URL of a page of yours, to which a letter appends the code that verifies an address; the page sends it to POST /v1/email/confirm. Empty: the page of this server, /verify-email." example:"https://app.example.com/verify#"`
	ResetPage    string `toml:"reset_page" doc:"URL of a page of yours, to which a letter appends the code with which a new password is chosen; the page sends both to POST /v1/password/reset/confirm. Empty: the page of this server, /reset-password." example:"https://app.example.com/reset#"`
}

// Tokens are lifetimes.
type Tokens struct {
	AccessTTL    time.Duration `toml:"access_ttl" doc:"Life of an access token, whole seconds up to 24h."`
	IdleTTL      time.Duration `toml:"idle_ttl" doc:"A session that isn't refreshed for so long ends."`
	AbsoluteTTL  time.Duration `toml:"absolute_ttl" doc:"A session ends so long after its login."`
	SignInTTL    time.Duration `toml:"sign_in_ttl" doc:"A browser has to log in again at the server's own pages so long after its last login there."`
	RefreshGrace time.Duration `toml:"refresh_grace" doc:"How long the refresh token before gets the same successor again, 10s to 5m: for tabs and lost answers."`
}

// Keys are those that sign access tokens.
type Keys struct {
	Algorithm string        `toml:"algorithm" doc:"Algorithm of new signing keys: ES256, RS256 or EdDSA."`
	Lifetime  time.Duration `toml:"lifetime" doc:"How long a key signs before the next one takes over."`
	MaxAge    time.Duration `toml:"max_age" doc:"How long verifiers may cache the key set; a next key that is younger isn't promoted."`
}

// Retention is how long the database keeps what is over.
type Retention struct {
	Sessions time.Duration `toml:"sessions" doc:"How long a session is known after its end, for people and the detection of replays."`
	Events   time.Duration `toml:"events" doc:"How long events and retired keys are known."`
}

// Log is what the server writes to standard error.
type Log struct {
	Format string `toml:"format" flag:"log-format" value:"FORMAT" doc:"json or text; auto is text on a terminal and json elsewhere."`
	Level  string `toml:"level" flag:"log-level" value:"LEVEL" doc:"Least level that is logged: debug, info, warn or error."`
}

// Resource is an API that tokens are for.
type Resource struct {
	Audience  string        `toml:"audience" doc:"The aud of its tokens." example:"petstore"`
	Name      string        `toml:"name" doc:"For people."`
	Scopes    []string      `toml:"scopes" doc:"Every scope that it knows." example:"pets:read,pets:write"`
	AccessTTL time.Duration `toml:"access_ttl" doc:"Life of its access tokens; 0s: tokens.access_ttl."`
	Algorithm string        `toml:"algorithm" doc:"Signs its access tokens; empty: the client's, or else keys.algorithm."`
}

// Client is a program that gets tokens.
type Client struct {
	ID           string        `toml:"id" doc:"Begins with client_." example:"client_app"`
	Name         string        `toml:"name" doc:"For people."`
	Scopes       []string      `toml:"scopes" doc:"What it may ask for; none: nothing." example:"pets:read,pets:write"`
	Resources    []string      `toml:"resources" doc:"Audiences that its tokens may be for, the first is its default; none: any."`
	FirstParty   bool          `toml:"first_party" doc:"Your own: may handle passwords."`
	AccessTTL    time.Duration `toml:"access_ttl" doc:"Life of its access tokens where the resource's is longer; 0s: the resource's."`
	IdleTTL      time.Duration `toml:"idle_ttl" doc:"Ends its unused sessions where tokens.idle_ttl is longer; 0s: that."`
	AbsoluteTTL  time.Duration `toml:"absolute_ttl" doc:"Ends its sessions where tokens.absolute_ttl is longer; 0s: that."`
	AccessType   string        `toml:"access_type" doc:"The typ of its access tokens: at+jwt, or JWT for APIs that know no other; empty: at+jwt."`
	Algorithm    string        `toml:"algorithm" doc:"Signs its access tokens where the resource names none."`
	RedirectURIs []string      `toml:"redirect_uris" doc:"Where the answers to its authorization requests may go, exactly; the port of a loopback address is free. https, http on loopback, or an app's own scheme." example:"https://app.example.com/callback"`
	PostLogout   []string      `toml:"post_logout_redirect_uris" doc:"Where a browser may go on to after a logout." example:"https://app.example.com/"`
	Backchannel  string        `toml:"backchannel_logout_uri" doc:"Where it's told of logouts (OpenID Connect Back-Channel Logout); empty: nowhere." example:"https://app.example.com/backchannel-logout"`
	SecretSHA256 string        `toml:"secret_sha256" doc:"SHA-256, in hexadecimal, of its secret; empty: a public client, or one with keys. The secret is jcs_ and 32 random bytes in base64url."`
	KeySet       string        `toml:"key_set" doc:"JWK Set of its public keys, JSON, each with its alg, by which it proves itself (private_key_jwt) instead of a secret."`
	RequireDPoP  bool          `toml:"require_dpop" doc:"Gives it no token that isn't bound to a key of its own (RFC 9449)."`
	DeviceGrant  bool          `toml:"device_grant" doc:"Lets it log people in by a code that they type in a browser elsewhere (RFC 8628): for televisions and terminals."`
	ExchangeFrom []string      `toml:"exchange_from" doc:"Audiences whose access tokens it may exchange (RFC 8693) for ones that its resources allow."`
}

// Foreign is another issuer.
type Foreign struct {
	URL          string        `toml:"url" doc:"Its name, the iss of its tokens, character by character." example:"https://idp.example.com"`
	Audience     string        `toml:"audience" doc:"Our client ID there, which its logout tokens are for." example:"petstore"`
	MaxTTL       time.Duration `toml:"max_ttl" doc:"Longest life of its access tokens, up to 720h: so long rules about them are kept." example:"1h"`
	KeySet       string        `toml:"key_set" doc:"URL of its key set; empty: where its metadata says."`
	Algorithms   []string      `toml:"algorithms" doc:"Algorithms of its logout tokens; none: those of its keys." example:"RS256"`
	AnyType      bool          `toml:"any_type" doc:"Takes logout tokens whose typ is JWT or missing, beside logout+jwt."`
	WholeSubject bool          `toml:"whole_subject" doc:"Refuses all of a subject's tokens when one session ends: for access tokens without sid."`
}

// Default is the configuration that nothing was said about.
func Default() Config {
	return Config{
		Listen:           "127.0.0.1:8420",
		AdminListen:      "127.0.0.1:8421",
		DatabaseWait:     5 * time.Minute,
		ProxyHeader:      "X-Forwarded-For",
		FeedMaxStaleness: time.Minute,
		Tokens:           Tokens{AccessTTL: 15 * time.Minute, IdleTTL: 720 * time.Hour, AbsoluteTTL: 2160 * time.Hour, SignInTTL: 12 * time.Hour, RefreshGrace: 30 * time.Second},
		Keys:             Keys{Algorithm: "ES256", Lifetime: 720 * time.Hour, MaxAge: 10 * time.Minute},
		Retention:        Retention{Sessions: 720 * time.Hour, Events: 4320 * time.Hour},
		Log:              Log{Format: "auto", Level: "info"},
	}
}

// KEKPath is the file of the key-encryption key; beside the data directory, "." has a name too.
func (c *Config) KEKPath() string {
	data := c.Data
	if dir, err := filepath.Abs(data); err == nil && filepath.Base(data) != filepath.Base(dir) {
		data = dir
	}
	return cmp.Or(c.KEKFile, filepath.Clean(data)+".kek")
}

// FeedCredentialPath is the file of the feed's credential.
func (c *Config) FeedCredentialPath() string {
	return cmp.Or(c.FeedCredentialFile, filepath.Join(c.Data, "feed.credential"))
}

// acmeCache is the directory of the certificates that ACME got.
func (c *Config) acmeCache() string { return cmp.Or(c.ACME.Cache, filepath.Join(c.Data, "acme")) }
