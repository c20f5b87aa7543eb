package api_test

import (
	"encoding/json"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/api"
	"github.com/jot-auth/jot/server/issuer"
)

const recoveryPath = "/v1/factors/recovery-codes"

func (f *fixture) renewCodes(access, password string) answer {
	f.t.Helper()
	return f.call("POST", recoveryPath, `{"password":"`+password+`"}`, bearer(access)...)
}

// codesIn are the recovery codes of an answer.
func codesIn(t *testing.T, a answer) (codes []string) {
	t.Helper()
	a.want(t, 200)
	var made struct {
		Codes []string `json:"recovery_codes"`
	}
	if err := json.Unmarshal([]byte(a.body), &made); err != nil || len(made.Codes) != 10 {
		t.Fatalf("%s, %v", a.body, err)
	}
	return made.Codes
}

// TestRecoveryCodesRenewed: whoever logs in with two factors gets new codes for the password, and none of the old ones
// is good any more.
func TestRecoveryCodesRenewed(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	app, before, weak := f.enrol()
	f.renewCodes(weak, password).want(t, 401) // it was one factor
	strong := f.complete(f.halfway(), app.next())
	strong.want(t, 200)
	access := strong.text("access_token")
	f.renewCodes(access, "wrong "+password).want(t, 403)
	f.complete(f.halfway(), before[0]).want(t, 200) // what failed has voided nothing
	fresh := codesIn(t, f.renewCodes(access, password))
	for _, code := range before[1:] {
		f.complete(f.halfway(), code).want(t, 403)
	}
	f.complete(f.halfway(), fresh[9]).want(t, 200)
	f.complete(f.halfway(), fresh[9]).want(t, 403)
	if told := f.told(issuer.EventRecoveryCodesMade); len(told) != 1 {
		t.Errorf("events %+v", told)
	}
	f.call("DELETE", "/v1/factors/totp", "", bearer(access)...).want(t, 204)
	f.renewCodes(access, password).want(t, 404)
}

// TestRecoveryCodesRace: of many that ask at once the codes of one count, all of them and no others.
func TestRecoveryCodesRace(t *testing.T) {
	f := serveAccounts(t, api.Options{OpenSignUp: true}, accounts.Config{NoThrottling: true})
	app, _, _ := f.enrol()
	strong := f.complete(f.halfway(), app.next())
	strong.want(t, 200)
	answers := make([]answer, 4)
	var all sync.WaitGroup
	for n := range answers {
		all.Go(func() { answers[n] = f.renewCodes(strong.text("access_token"), password) })
	}
	all.Wait()
	whole := 0
	for _, a := range answers {
		good := 0
		for _, code := range codesIn(t, a)[:3] {
			if f.complete(f.halfway(), code).status == 200 {
				good++
			}
		}
		if good == 3 {
			whole++
		} else if good != 0 {
			t.Errorf("%d of 3 codes are good", good)
		}
	}
	if whole != 1 {
		t.Errorf("the codes of %d count", whole)
	}
}
