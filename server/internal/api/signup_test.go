package api_test

import (
	"fmt"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/issuer"
)

// TestSignUpIsAnEvent: an operator sees where accounts come from.
func TestSignUpIsAnEvent(t *testing.T) {
	f := serve(t, api.Options{OpenSignUp: true})
	sub := f.call("POST", "/v1/signup", `{"username":"eve","password":"`+password+`"}`, "User-Agent", "a browser").want(t, 201)["sub"]
	events, _, err := f.issuer.RecentEvents(t.Context(), issuer.EventFilter{Kind: issuer.EventAccountCreated}, issuer.Page{})
	if err != nil || len(events) != 1 {
		t.Fatalf("%+v, %v", events, err)
	}
	if e := events[0]; e.Subject != sub || e.Actor != "" || e.Address != "127.0.0.1" || e.UserAgent != "a browser" {
		t.Errorf("%+v", e)
	}
}

// TestSignUpsAreDelayed: by address, whatever the names.
func TestSignUpsAreDelayed(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{PerAddress: accounts.Schedule{Free: 20, Delay: 600e9, MaxDelay: 600e9}})
	for n := range 20 {
		f.call("POST", "/v1/signup", fmt.Sprintf(`{"username":"user%d","password":%q}`, n/2, password))
	}
	wantThrottled(t, f.call("POST", "/v1/signup", `{"username":"another","password":"`+password+`"}`))
	wantThrottled(t, f.call("POST", "/v1/signup", `{"username":"user0","password":"`+password+`"}`))
}
