package web

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"slices"
	"strings"
	"sync"
)

// The headers in which proxies tell whom they answer. A proxy writes one of them, and passes on what a client made up
// in the other.
const (
	ForwardedForHeader = "X-Forwarded-For"
	ForwardedHeader    = "Forwarded" // RFC 7239
)

// maxHops bounds how many entries of a header are looked at.
const maxHops = 16

// Proxies are the machines that may speak for others. The zero value trusts none.
type Proxies struct {
	// Trusted are the addresses of the proxies.
	Trusted []netip.Prefix
	// Header is the one that they write, ForwardedForHeader or ForwardedHeader; "" is the first. The other is ignored.
	Header string
}

// Validate says what is wrong: a header that isn't known, or a prefix that isn't one.
func (p Proxies) Validate() error {
	var errs []error
	if p.Header != "" && p.Header != ForwardedForHeader && p.Header != ForwardedHeader {
		errs = append(errs, fmt.Errorf("proxies: the header %.64q isn't known: use %s or %s", p.Header, ForwardedForHeader, ForwardedHeader))
	}
	for _, prefix := range p.Trusted {
		switch {
		case !prefix.IsValid() || prefix != prefix.Masked():
			errs = append(errs, fmt.Errorf("proxies: %s isn't a network: write it as 10.0.0.0/8, with zeros behind the prefix", prefix))
		case prefix.Addr().Is4In6():
			errs = append(errs, fmt.Errorf("proxies: %s is an IPv4 network in the clothes of IPv6: write it as IPv4, which is what it's compared with", prefix))
		case prefix.Bits() == 0:
			errs = append(errs, fmt.Errorf("proxies: %s is everybody: name the proxies' own addresses", prefix))
		}
	}
	return errors.Join(errs...)
}

type addressKey struct{}

// ClientAddress returns the host that a request comes from, without its port: that of the connection, or of whom a
// trusted proxy speaks for, behind Proxies.Handler.
func ClientAddress(r *http.Request) string {
	if address, ok := r.Context().Value(addressKey{}).(netip.Addr); ok {
		return address.String()
	}
	if peer, ok := peerAddress(r); ok {
		return peer.String()
	}
	return r.RemoteAddr
}

// Handler finds out who each request comes from, for ClientAddress.
func (p Proxies) Handler(next http.Handler) http.Handler {
	if len(p.Trusted) == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if client, ok := p.client(r); ok {
			r = r.WithContext(context.WithValue(r.Context(), addressKey{}, client))
		}
		next.ServeHTTP(w, r)
	})
}

// Notice tells once of a neighbour that speaks for others and isn't trusted: probably a proxy that nobody named, whose
// clients all seem to be one, and are throttled as one. What strangers write is no news.
func (p Proxies) Notice(tell func(proxy netip.Addr), next http.Handler) http.Handler {
	var told sync.Once
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get(ForwardedForHeader)+r.Header.Get(ForwardedHeader) != "" {
			if peer, ok := peerAddress(r); ok && (peer.IsLoopback() || peer.IsPrivate()) && !p.Trusts(peer) {
				told.Do(func() { tell(peer) })
			}
		}
		next.ServeHTTP(w, r)
	})
}

// Only lets refuse answer those who come neither from a trusted proxy nor from this machine: what they send isn't
// encrypted. The probes of whoever runs the machine hold no secret, and are answered to everybody.
func (p Proxies) Only(base string, refuse, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		peer, ok := peerAddress(r)
		probe := r.URL.Path == base+"/healthz" || r.URL.Path == base+"/readyz"
		if probe || ok && (peer.IsLoopback() || p.Trusts(peer)) {
			next.ServeHTTP(w, r)
			return
		}
		refuse.ServeHTTP(w, r)
	})
}

// RefuseUnencrypted answers with 403, and reads nothing more of what was sent in the clear.
func RefuseUnencrypted(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Connection", "close")
	WriteProblem(w, NewProblem(http.StatusForbidden, "this connection is not encrypted: use the issuer's https address"))
}

// Trusts reports whether an address is one of the proxies.
func (p Proxies) Trusts(address netip.Addr) bool {
	return slices.ContainsFunc(p.Trusted, func(prefix netip.Prefix) bool { return prefix.Contains(address) })
}

// Sent reports whether a request comes from one of the proxies itself.
func (p Proxies) Sent(r *http.Request) bool {
	peer, ok := peerAddress(r)
	return ok && p.Trusts(peer)
}

// client returns the rightmost address that isn't a proxy's. Each trusted proxy adds the address that it saw at the
// right, so what stands further left than the first untrusted one was written by that one, and is worth nothing.
func (p Proxies) client(r *http.Request) (netip.Addr, bool) {
	client, ok := peerAddress(r)
	if !ok || !p.Trusts(client) {
		return client, ok
	}
	parse := parseForwardedFor
	name := ForwardedForHeader
	if p.Header == ForwardedHeader {
		name, parse = ForwardedHeader, parseForwarded
	}
	rest := strings.Join(r.Header.Values(name), ",")
	for hops := 0; rest != "" && hops < maxHops && p.Trusts(client); hops++ {
		// A comma within quotes would split wrongly, but the element at the right is of a proxy of ours, and an address
		// has none.
		comma := strings.LastIndexByte(rest, ',')
		before, ok := parse(strings.Trim(rest[comma+1:], " \t"))
		if !ok {
			break // the proxy doesn't know, or hides it: then it's the proxy that we know
		}
		client, rest = before, rest[:max(comma, 0)]
	}
	return client, true
}

func peerAddress(r *http.Request) (netip.Addr, bool) {
	peer, err := netip.ParseAddrPort(r.RemoteAddr)
	return plain(peer.Addr()), err == nil
}

// plain is an address as it's written in a configuration: IPv4 as such, without a zone.
func plain(address netip.Addr) netip.Addr { return address.Unmap().WithZone("") }

// parseForwardedFor reads one entry, an address, to which some proxies add the port.
func parseForwardedFor(entry string) (netip.Addr, bool) {
	if address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]")); err == nil {
		return plain(address), true
	}
	pair, err := netip.ParseAddrPort(entry)
	return plain(pair.Addr()), err == nil
}

// parseForwarded reads the for parameter of one element (RFC 7239 §4 to §6).
func parseForwarded(element string) (netip.Addr, bool) {
	var found string
	for pair := range strings.SplitSeq(element, ";") {
		name, value, ok := strings.Cut(strings.Trim(pair, " \t"), "=")
		if !ok || !strings.EqualFold(name, "for") {
			continue
		}
		if found != "" {
			return netip.Addr{}, false // twice: which one?
		}
		found = value
	}
	if len(found) > 1 && found[0] == '"' && found[len(found)-1] == '"' {
		found = found[1 : len(found)-1]
	}
	return parseForwardedFor(found)
}
