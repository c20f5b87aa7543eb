package jothttp_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/jot-auth/jot/jothttp"
)

func TestStepUp(t *testing.T) {
	now := time.Now().Truncate(time.Second)
	ago := func(d time.Duration) int64 { return now.Add(-d).Unix() }
	const start = `Bearer realm="api", error="insufficient_user_authentication", `
	strong := jothttp.StepUp{ACR: []string{"jot:2", "phr"}}
	fresh := jothttp.StepUp{MaxAge: 5 * time.Minute}
	oneFactor := jothttp.StepUp{ACR: []string{"urn:jot:acr:1fa"}}
	twoFactors := jothttp.StepUp{ACR: []string{"urn:jot:acr:2fa"}}
	both := jothttp.StepUp{ACR: strong.ACR, MaxAge: fresh.MaxAge}
	for name, test := range map[string]struct {
		required jothttp.StepUp
		claims   map[string]any
		refusal  string
	}{
		"class":                {strong, map[string]any{"acr": "jot:2"}, ""},
		"other class":          {strong, map[string]any{"acr": "phr"}, ""},
		"weaker class":         {strong, map[string]any{"acr": "jot:1"}, start + `acr_values="jot:2 phr"`},
		"class in other case":  {strong, map[string]any{"acr": "JOT:2"}, start + `acr_values="jot:2 phr"`},
		"two classes in one":   {strong, map[string]any{"acr": "jot:2 phr"}, start + `acr_values="jot:2 phr"`},
		"class of other type":  {strong, map[string]any{"acr": []string{"jot:2"}}, start + `acr_values="jot:2 phr"`},
		"no class":             {strong, nil, start + `acr_values="jot:2 phr"`},
		"two factors for one":  {oneFactor, map[string]any{"acr": "urn:jot:acr:2fa"}, ""},
		"one factor for two":   {twoFactors, map[string]any{"acr": "urn:jot:acr:1fa"}, start + `acr_values="urn:jot:acr:2fa"`},
		"others, for a factor": {oneFactor, map[string]any{"acr": "phr"}, start + `acr_values="urn:jot:acr:1fa"`},
		"a factor, for others": {strong, map[string]any{"acr": "urn:jot:acr:2fa"}, start + `acr_values="jot:2 phr"`},
		"just now":             {fresh, map[string]any{"auth_time": ago(0)}, ""},
		"as old as may be":     {fresh, map[string]any{"auth_time": ago(5 * time.Minute)}, ""},
		"a second older":       {fresh, map[string]any{"auth_time": ago(5*time.Minute + time.Second)}, start + `max_age="300"`},
		"no time":              {fresh, nil, start + `max_age="300"`},
		"class and time":       {both, map[string]any{"acr": "phr", "auth_time": ago(time.Minute)}, ""},
		"class, but too old":   {both, map[string]any{"acr": "phr", "auth_time": ago(time.Hour)}, start + `acr_values="jot:2 phr", max_age="300"`},
		"in time, but no more": {both, map[string]any{"auth_time": ago(time.Minute)}, start + `acr_values="jot:2 phr", max_age="300"`},
	} {
		t.Run(name, func(t *testing.T) {
			a := newAPI(t)
			test.required.Now = func() time.Time { return now }
			a.wrap = test.required.Require()
			claims := map[string]any{"sub": "alice", "aud": "petstore", "exp": now.Add(time.Minute).Unix()}
			for name, value := range test.claims {
				claims[name] = value
			}
			raw, err := a.signer.Sign(t.Context(), claims)
			if err != nil {
				t.Fatal(err)
			}
			status := http.StatusOK
			if test.refusal != "" {
				status = http.StatusUnauthorized
			}
			check(t, a.serve(request("GET", "Authorization: Bearer "+raw)), status, test.refusal)
			if refused := len(a.reasons) == 1; refused != (test.refusal != "") {
				t.Errorf("told of %v", a.reasons)
			}
		})
	}
}

func TestStepUpNeedsRequirements(t *testing.T) {
	for name, required := range map[string]jothttp.StepUp{
		"nothing": {}, "half a second": {MaxAge: time.Second / 2}, "negative": {MaxAge: -time.Second},
		"empty class": {ACR: []string{""}}, "two in one": {ACR: []string{"a b"}}, "quotation mark": {ACR: []string{`a"`}},
	} {
		t.Run(name, func(t *testing.T) {
			defer func() {
				if recover() == nil {
					t.Error("accepted")
				}
			}()
			required.Require()
		})
	}
}
