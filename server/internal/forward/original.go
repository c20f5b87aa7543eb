package forward

import (
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"github.com/jot-auth/jot/jothttp"
)

// The headers in which a proxy says what it asks about. Caddy and Traefik write them by themselves.
const (
	methodHeader = "X-Forwarded-Method"
	protoHeader  = "X-Forwarded-Proto"
	hostHeader   = "X-Forwarded-Host"
	uriHeader    = "X-Forwarded-Uri"
)

// nobodysHost is in the place of a host that nobody trustworthy states: no page's origin has it. The empty one is that
// of the origin "null", which is any sandbox's.
const nobodysHost = "/"

// schemes are those by which a request may come, as proxies name them: a web socket's is of HTTP until the connection
// is upgraded, and Traefik says otherwise.
var schemes = map[string]string{"https": "https", "http": "http", "wss": "https", "ws": "http"}

var (
	aMethod = regexp.MustCompile(`^[A-Z]{1,16}$`)
	aHost   = regexp.MustCompile(`^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$`)
)

// maxHost is the length of the longest name with a port.
const maxHost = 253 + len(":65535")

// original is the request that a proxy asks about, as far as somebody trustworthy says what it is.
type original struct {
	request *http.Request // to be judged in its place; the query is still that of the proxy's configuration
	origin  string        // by which its client called; "": nobody knows
}

// original puts the method and the address of the original request in the place of the proxy's own. Where nobody
// trustworthy states the method, it's taken for one that changes something, so that a cookie alone, sent by another
// site's page, doesn't do; and where nobody states the address, no proof is good for it.
func (s *Server) original(r *http.Request) original {
	judged := r.Clone(r.Context())
	judged.Method, judged.Host = http.MethodPost, nobodysHost
	judged.Header.Del("Access-Control-Request-Method") // a preflight isn't let in without a token
	if r.Header.Get("Sec-WebSocket-Key") != "" {
		judged.Header.Set("Upgrade", "websocket") // which the proxy may have kept to itself
	}
	if !s.proxies.Sent(r) {
		return original{request: judged}
	}
	if method := one(r, methodHeader); aMethod.MatchString(method) {
		judged.Method = method
	}
	proto, host, uri := schemes[one(r, protoHeader)], one(r, hostHeader), one(r, uriHeader)
	if !isHost(host) {
		return original{request: judged}
	}
	judged.Host = host
	if _, err := url.ParseRequestURI(uri); err != nil || !strings.HasPrefix(uri, "/") || strings.Contains(uri, "#") || proto == "" { // a fragment is never sent (RFC 9110 §7.1)
		return original{request: judged}
	}
	judged.RequestURI = uri
	return original{judged, proto + "://" + host}
}

// isHost reports whether a text is a name or an address, with a port or without one.
func isHost(text string) bool {
	_, err := url.Parse("https://" + text)
	return err == nil && len(text) <= maxHost && aHost.MatchString(text)
}

// one is the value of a header that comes once, and else "".
func one(r *http.Request, name string) string {
	if values := r.Header.Values(name); len(values) == 1 {
		return values[0]
	}
	return ""
}

// dpop is how proofs are checked; nil where the address is unknown that they have to be for.
func (o original) dpop(proofs *jothttp.ProofVerifier) *jothttp.DPoP {
	if o.origin == "" {
		return nil
	}
	return &jothttp.DPoP{Proofs: proofs, Base: o.origin}
}
