package accounts

import (
	"strings"
	"testing"
)

// reference is what the reference implementation's command answers for the password
// "password", the salt "somesalt", t=2, m=64 MiB, p=1 (its own test vector).
const reference = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"

func TestVerifyReferenceVector(t *testing.T) {
	a, err := New(newMemory(), testIssuer{}, Config{})
	if err != nil {
		t.Fatal(err)
	}
	h, err := parsePasswordHash(reference)
	if err != nil {
		t.Fatal(err)
	}
	for password, want := range map[string]bool{"password": true, "Password": false, "": false} {
		if ok, err := a.verify(t.Context(), stranger, h, password); err != nil || ok != want {
			t.Errorf("verify(%q) = %v, %v", password, ok, err)
		}
	}
}

func TestParsePasswordHash(t *testing.T) {
	const salt, key = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for name, s := range map[string]string{
		"empty":               "",
		"another function":    "$argon2i$v=19$m=65536,t=2,p=1$" + salt + "$" + key,
		"another version":     "$argon2id$v=16$m=65536,t=2,p=1$" + salt + "$" + key,
		"no version":          "$argon2id$m=65536,t=2,p=1$" + salt + "$" + key,
		"text before":         "x$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + key,
		"text after":          reference + "$",
		"newline after":       reference + "\n",
		"newline in key":      "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8\nArZWb2GRPPc",
		"padding":             reference + "=",
		"URL alphabet":        "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhb-Q$" + key,
		"trailing bits":       "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHR$" + key,
		"another order":       "$argon2id$v=19$t=2,m=65536,p=1$" + salt + "$" + key,
		"another parameter":   "$argon2id$v=19$m=65536,t=2,p=1,data=AA$" + salt + "$" + key,
		"leading zero":        "$argon2id$v=19$m=065536,t=2,p=1$" + salt + "$" + key,
		"sign":                "$argon2id$v=19$m=+65536,t=2,p=1$" + salt + "$" + key,
		"no time":             "$argon2id$v=19$m=65536,t=0,p=1$" + salt + "$" + key,
		"too much time":       "$argon2id$v=19$m=65536,t=17,p=1$" + salt + "$" + key,
		"too little memory":   "$argon2id$v=19$m=7,t=2,p=1$" + salt + "$" + key,
		"too much memory":     "$argon2id$v=19$m=262145,t=2,p=1$" + salt + "$" + key,
		"memory overflows":    "$argon2id$v=19$m=4295032832,t=2,p=1$" + salt + "$" + key,
		"no lanes":            "$argon2id$v=19$m=65536,t=2,p=0$" + salt + "$" + key,
		"too many lanes":      "$argon2id$v=19$m=65536,t=2,p=17$" + salt + "$" + key,
		"lanes overflow":      "$argon2id$v=19$m=65536,t=2,p=257$" + salt + "$" + key,
		"salt too short":      "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbA$" + key,
		"salt too long":       "$argon2id$v=19$m=65536,t=2,p=1$" + strings.Repeat("AAAA", 22) + "$" + key,
		"key too short":       "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + "CTFhFdXPJO1aFaMaO6Mm",
		"key too long":        "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$" + strings.Repeat("AAAA", 22),
		"no key":              "$argon2id$v=19$m=65536,t=2,p=1$" + salt + "$",
		"longer than any":     reference + strings.Repeat("A", maxPHC),
		"many empty fields":   strings.Repeat("$", 200),
		"only five fields":    "$argon2id$v=19$m=65536,t=2,p=1$" + salt,
		"bcrypt":              "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"equals sign missing": "$argon2id$v=19$m65536,t=2,p=1$" + salt + "$" + key,
	} {
		if h, err := parsePasswordHash(s); err == nil {
			t.Errorf("%s: accepted as %s", name, h)
		}
	}
}

func FuzzParsePasswordHash(f *testing.F) {
	f.Add(reference)
	f.Add(decoyHash().String())
	f.Add("$argon2id$v=19$m=4294967295,t=4294967295,p=255$c29tZXNhbHQ$AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		h, err := parsePasswordHash(s)
		if err != nil {
			if err != errPasswordHash {
				t.Errorf("error %v", err)
			}
			return
		}
		if h.String() != s {
			t.Errorf("%q reads as %q", s, h)
		}
		if h.memory > maxHashMemory || h.memory < 8*uint32(h.threads) || h.time == 0 || h.time > maxHashTime ||
			h.threads == 0 || h.threads > maxHashThreads || len(h.salt) > maxSaltSize || len(h.key) < minKeySize {
			t.Errorf("out of bounds: %q", s)
		}
	})
}

// TestCurrent: a hash that differs from a new one in anything that it costs is replaced at the next login.
func TestCurrent(t *testing.T) {
	if !newPasswordHash().current() {
		t.Error("a new hash would be replaced")
	}
	for name, alter := range map[string]func(h *passwordHash){
		"memory": func(h *passwordHash) { h.memory-- }, "time": func(h *passwordHash) { h.time++ }, "threads": func(h *passwordHash) { h.threads++ },
		"salt": func(h *passwordHash) { h.salt = h.salt[1:] }, "key": func(h *passwordHash) { h.key = h.key[1:] },
	} {
		h := newPasswordHash()
		if alter(&h); h.current() {
			t.Errorf("one of another %s would stay", name)
		}
	}
}
