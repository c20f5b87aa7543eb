package feed

import (
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// One holder of a credential that registers all it can leaves room for others, and has room again once the leases of
// those that left have run out.
func TestHolderLeavesRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := startRegistry(newFakeIssuer(t), Config{MaxStaleness: time.Minute, Logger: slog.New(slog.DiscardHandler)})
		defer r.close()
		greedy, other := holder{network: netip.MustParsePrefix("192.0.2.1/32")}, holder{network: netip.MustParsePrefix("192.0.2.2/32")}
		for n := range maxOfHolder {
			p, _, err := r.expect(greedy, fmt.Sprint("greedy-", n), time.Second)
			if err != nil {
				t.Fatalf("verifier %d: %v", n, err)
			}
			r.leave(p) // and goes on with another name
		}
		register := func(by holder, id string) error {
			_, err := r.enter(t.Context(), by, id, time.Second)
			return err
		}
		for _, test := range []struct {
			by   holder
			id   string
			want error
		}{{greedy, "one more", issuer.ErrBusy}, {greedy, "greedy-1", nil}, {other, "another one", nil}, {holder{}, "of this machine", nil}} {
			if err := register(test.by, test.id); !errors.Is(err, test.want) {
				t.Errorf("%s: %v, want %v", test.id, err, test.want)
			}
		}
		time.Sleep(time.Second + leaseMargin + time.Second)
		if err := register(greedy, "one more"); err != nil {
			t.Errorf("after the leases have run out: %v", err)
		}
		synctest.Wait()
		if r.held[greedy] != 2 || len(r.held) != 3 {
			t.Errorf("places are still held: %v", r.held)
		}
	})
}

func TestHolderOfRequest(t *testing.T) {
	of := func(address, bearer string) holder {
		r := httptest.NewRequest(http.MethodGet, "/feed/live", nil)
		r.RemoteAddr = address
		r.Header.Set("Authorization", "Bearer "+bearer)
		return holderOf(r)
	}
	for name, test := range map[string]struct {
		a, b holder
		same bool
	}{
		"the same address":          {of("192.0.2.1:1", "x"), of("192.0.2.1:2", "x"), true},
		"another credential":        {of("192.0.2.1:1", "x"), of("192.0.2.1:1", "y"), false},
		"another address":           {of("192.0.2.1:1", "x"), of("192.0.2.2:1", "x"), false},
		"the same network of IPv6":  {of("[2001:db8::1]:1", "x"), of("[2001:db8::2]:1", "x"), true},
		"another network of IPv6":   {of("[2001:db8::1]:1", "x"), of("[2001:db8:0:1::1]:1", "x"), false},
		"this machine":              {of("127.0.0.1:1", "x"), holder{}, true},
		"a socket of this machine":  {of("@", "x"), holder{}, true},
		"no address of the machine": {of("192.0.2.1:1", "x"), holder{}, false},
	} {
		if (test.a == test.b) != test.same {
			t.Errorf("%s: %v and %v", name, test.a, test.b)
		}
	}
}
