package jot_test

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/jot-auth/jot"
)

func TestClaimsTypes(t *testing.T) {
	for text, want := range map[string]int64{"1795349700.9999999999": 1795349700, "253402300799.9": 253402300799, "1e3": 1000} {
		var date jot.NumericDate
		if err := json.Unmarshal([]byte(text), &date); err != nil || int64(date) != want {
			t.Errorf("%s: %d, %v", text, date, err)
		}
	}
	if none := jot.At(time.Time{}); none != 0 || !none.Time().IsZero() {
		t.Errorf("no time is %d, which is %v", none, none.Time())
	}
	for _, text := range []string{"-1", "253402300800", `"1"`, "1e400"} {
		var date jot.NumericDate
		if err := json.Unmarshal([]byte(text), &date); err == nil {
			t.Errorf("%s: read as %d", text, date)
		}
	}
	for _, text := range []string{`null`, `[null]`, `[1]`, `{}`, `1`} {
		var audience jot.Audience
		if err := audience.UnmarshalJSON([]byte(text)); err == nil {
			t.Errorf("aud %s: read as %q", text, audience)
		}
	}
	var audience jot.Audience
	if err := json.Unmarshal([]byte(`["a","\u0062"]`), &audience); err != nil || !audience.Contains("b") || len(audience) != 2 {
		t.Errorf("%q, %v", audience, err)
	}
}
