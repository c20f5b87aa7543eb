package issuer

// The issuer's own resource is its admin API, and the command line is the client that's made for it. Both are always
// there.
const (
	// CommandClient is the first-party public client of the command line. It may ask for ScopeAdmin and nothing else.
	CommandClient = ClientPrefix + "jot"
	// CommandRedirectPath is where a browser comes back to the command line, on whichever port of a loopback address
	// (RFC 8252 §7.3).
	CommandRedirectPath = "/callback"
	// ScopeAdmin opens all of the admin API.
	ScopeAdmin = "jot:admin"
	// ScopeSessions lets a backend begin sessions for subjects that it has authenticated by itself, and nothing else.
	ScopeSessions = "jot:sessions"
)

// AdminAudience is the audience of tokens for the issuer's own admin API: its URL and "/admin". It is never the
// default.
func (i *Issuer) AdminAudience() string { return i.config.adminAudience() }

func (c *Config) adminAudience() string { return c.URL + "/admin" }

// adminResource has tokens of no longer life than the others, so that it alone never raises the longest one.
func (c *Config) adminResource() Resource {
	return Resource{
		Audience: c.adminAudience(), Name: "admin API", Scopes: []string{ScopeAdmin, ScopeSessions},
		AccessTTL: min(c.AccessTTL, c.longestTTL()), Declared: true,
	}
}

func (c *Config) commandClient() Client {
	return Client{
		ID: CommandClient, Name: "the command jot", Scopes: []string{ScopeAdmin}, Resources: []string{c.adminAudience()},
		RedirectURIs: []string{"http://127.0.0.1" + CommandRedirectPath, "http://[::1]" + CommandRedirectPath}, FirstParty: true, Declared: true,
	}
}
