package issuer

// What makes a token a logout token (OpenID Connect Back-Channel Logout 1.0 §2.4): those that are sent to clients, and
// those that other issuers send.
const (
	logoutType  = "logout+jwt"
	logoutEvent = "http://schemas.openid.net/event/backchannel-logout"
)
