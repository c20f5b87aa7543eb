package jothttp

import (
	"net/http"

	"github.com/jot-auth/jot"
)

// demand is what a middleware inside [Protect] asks of a token beyond its validity.
type demand struct {
	lack   func(*jot.Token) error // why a token won't do, for Options.OnRefuse; nil where it does
	status int                    // of a refusal
	params string                 // of its challenge; "" has none, where no other token would help
}

// middleware lets only requests through whose token meets the demand. Without Protect around it every request is
// answered 500, which says so, since letting it in would hide the mistake.
func (d demand) middleware() func(http.Handler) http.Handler {
	return func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			visit := visitFrom(r.Context())
			if visit == nil {
				misplaced(w)
				return
			}
			if lack := d.lack(visit.token); lack != nil {
				d.refuse(w, r, visit, lack)
				return
			}
			next.ServeHTTP(w, r)
		})
	}
}

func (d demand) refuse(w http.ResponseWriter, r *http.Request, v *visit, lack error) {
	if v.guard.OnRefuse != nil {
		v.guard.OnRefuse(r, lack)
	}
	if d.params == "" {
		problem(w, d.status)
		return
	}
	v.guard.challenge(w, d.status, v.scheme, d.params)
}
