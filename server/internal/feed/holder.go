package feed

import (
	"crypto/sha256"
	"net/http"
	"net/netip"

	"github.com/jot-auth/jot/jothttp"
	"github.com/jot-auth/jot/server/internal/web"
)

// maxOfHolder bounds the verifiers of one holder, so that it leaves room for others: as many as there are connections
// of one address.
const maxOfHolder = maxRegistered / 4

// holder is who registers verifiers: a credential, in a network. The zero value is this machine, which may speak for
// others and isn't bounded by itself.
type holder struct {
	credential [sha256.Size]byte
	network    netip.Prefix
}

// holderOf returns who sends a request. Networks of IPv6 count as one: whoever has one address has all in it.
func holderOf(r *http.Request) holder {
	address, err := netip.ParseAddr(web.ClientAddress(r))
	if err != nil || address.IsLoopback() {
		return holder{}
	}
	bits := 32
	if address.Is6() {
		bits = 64 // what a provider gives to one customer, at least
	}
	network, err := address.Prefix(bits)
	if err != nil {
		return holder{}
	}
	bearer, _ := jothttp.Credential(r, "", 0) // which was checked
	return holder{sha256.Sum256([]byte(bearer)), network}
}
