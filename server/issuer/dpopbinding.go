package issuer

import "encoding/base64"

// checkThumbprint refuses what isn't the base64url of a SHA-256; "" is no binding.
func checkThumbprint(thumbprint string) error {
	b, err := base64.RawURLEncoding.Strict().DecodeString(thumbprint)
	if thumbprint == "" || err == nil && len(b) == 32 && len(thumbprint) == 43 {
		return nil
	}
	return &InputError{"key_thumbprint", "must be the base64url of a SHA-256 (RFC 7638)"}
}

// checkBinding refuses to give a client that has to bind its tokens one that isn't bound.
func (c *Client) checkBinding(thumbprint string) error {
	if c.RequireDPoP && thumbprint == "" {
		return ErrProofRequired
	}
	return nil
}

// bind settles which key a new session is bound to: a public client's, whose refresh tokens nothing else protects (RFC
// 9449 §5). A confidential client proves who it is with each refresh, and may change its key.
func (s *Session) bind(client *Client, thumbprint string) {
	if !client.Confidential() {
		s.KeyThumbprint = thumbprint
	}
}

// provedBy reports whether the key of a refresh is the one that the session is bound to. What a session of a public
// client is bound to is settled when it begins: one without a key isn't bound later, or a thief of its refresh token
// could bind it to a key of their own.
func (s *Session) provedBy(client *Client, thumbprint string) bool {
	if s.KeyThumbprint == "" && client.Confidential() {
		return true
	}
	return s.KeyThumbprint == thumbprint
}
