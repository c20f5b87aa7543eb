package revocation

import (
	"bytes"
	"slices"
	"strings"
	"testing"
)

func TestValidate(t *testing.T) {
	for _, r := range universe() {
		if err := r.Validate(); err != nil {
			t.Errorf("%+v: %v", r, err)
		}
	}
	valid := Rule{Kind: Session, Issuer: testIssuer, Value: "s", Subject: "u", Expires: 1}
	for name, spoil := range map[string]func(*Rule){
		"unknown kind":         func(r *Rule) { r.Kind = "all" },
		"no issuer":            func(r *Rule) { r.Issuer = "" },
		"no value":             func(r *Rule) { r.Value = "" },
		"no subject":           func(r *Rule) { r.Subject = "" },
		"a minimum":            func(r *Rule) { r.Minimum = 1 },
		"no expiry":            func(r *Rule) { r.Expires = 0 },
		"negative expiry":      func(r *Rule) { r.Expires = -1 },
		"invalid UTF-8":        func(r *Rule) { r.Value = "\xff" },
		"long value":           func(r *Rule) { r.Value = strings.Repeat("x", maxText+1) },
		"long issuer":          func(r *Rule) { r.Issuer = strings.Repeat("x", maxText+1) },
		"kid that expires":     func(r *Rule) { *r = Rule{Kind: Key, Issuer: testIssuer, Value: "k", Expires: 1} },
		"kid with a subject":   func(r *Rule) { *r = Rule{Kind: Key, Issuer: testIssuer, Value: "k", Subject: "u"} },
		"iss_iat with a value": func(r *Rule) { *r = Rule{Kind: IssuerIssuedAt, Issuer: testIssuer, Value: "k", Minimum: 1, Expires: 1} },
		"sub_gen, no minimum":  func(r *Rule) { *r = Rule{Kind: SubjectGeneration, Issuer: testIssuer, Value: "u", Expires: 1} },
		"sub_iat, negative min": func(r *Rule) {
			*r = Rule{Kind: SubjectIssuedAt, Issuer: testIssuer, Value: "u", Minimum: -1, Expires: 1}
		},
	} {
		r := valid
		spoil(&r)
		if err := r.Validate(); err == nil {
			t.Errorf("%s: %+v passes", name, r)
		}
	}
}

func TestLinesAreStrict(t *testing.T) {
	for _, r := range universe() {
		line, err := appendLine(nil, r)
		if err != nil {
			t.Fatal(err)
		}
		back, err := parseRule(line[:len(line)-1])
		if err != nil || back != r {
			t.Errorf("%s: %+v, %v", line, back, err)
		}
	}
	for _, line := range []string{
		``, `null`, `[]`, `{}`, `{"kind":"kid","iss":"i"}`,
		`{"kind":"kid","iss":"i","value":"k","more":1}`,
		`{"kind":"kid","iss":"i","value":"k","value":"l"}`,
		`{"kind":"kid","iss":"i","value":"k","Value":"l"}`,
		`{"kind":"kid","iss":"i","value":1}`,
		`{"kind":"kid","iss":"i","value":"k"}x`,
		`{"kind":"iss_iat","iss":"i","min":"1","exp":2}`,
		`{"kind":"iss_iat","iss":"i","min":1.5,"exp":2}`,
		`{"kind":"iss_iat","iss":"i","min":1e3,"exp":2}`,
		`{"kind":"iss_iat","iss":"i","min":9223372036854775808,"exp":2}`,
		`{"kind":"every","iss":"i","value":"k"}`,
	} {
		if r, err := parseRule([]byte(line)); err == nil {
			t.Errorf("%s is read as %+v", line, r)
		}
	}
}

// The longest rule, with every byte of its texts escaped, fits into a line.
func TestLongestRuleFitsInALine(t *testing.T) {
	long := strings.Repeat("\x01", maxText)
	line, err := appendLine(nil, Rule{Kind: Session, Issuer: long, Value: long, Subject: long, Expires: 1<<63 - 1})
	if err != nil || len(line)+len("data: ") > maxLine {
		t.Errorf("%d bytes, %v", len(line), err)
	}
}

// Lines that are long, though each is allowed, don't make a frame without a bound.
func TestFrameBounds(t *testing.T) {
	line := []byte(`data: {"kind":"kid","iss":"i","value":"k"` + strings.Repeat(" ", maxLine-100) + "}\n")
	end := []byte("data: statement\n\n")
	for lines, ok := range map[int]bool{maxFrame/len(line) - 1: true, maxFrame/len(line) + 2: false} {
		frame := slices.Concat([]byte("id: 1\n"), bytes.Repeat(line, lines), end)
		got, err := NewFrameReader(bytes.NewReader(frame)).Next()
		if (err == nil) != ok || ok && len(got.Rules) != lines {
			t.Errorf("%d lines of %d bytes: %d rules, %v", lines, len(line), len(got.Rules), err)
		}
	}
	if _, err := (Frame{Rules: make([]Rule, MaxFrameRules+1)}).AppendTo(nil); err == nil {
		t.Error("a frame with too many rules is written")
	}
}
