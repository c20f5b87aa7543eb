package accounts

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"

	"github.com/jot-auth/jot/server/issuer"
)

// staple is the password of foreignHashes.
const staple = "correct horse battery staple"

// foreignHashes were made by others: bcrypt by libxcrypt, scrypt by OpenSSL, Argon2 by the reference implementation's
// command.
var foreignHashes = map[string]string{
	"bcrypt 2b": "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
	"bcrypt 2y": "$2y$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
	"bcrypt 2a": "$2a$04$abcdefghijklmnopqrstuu7EJV7kdjBBQxyb0HjTh9KS7.Lah/6CG",
	"scrypt":    "$scrypt$ln=14,r=8,p=1$MDEyMzQ1Njc4OWFiY2RlZg$tjK03tRvEjqCcPwmgtddMkgjlXrk8U/b9rIvfeBMKCc",
	"Argon2i":   "$argon2i$v=19$m=4096,t=3,p=1$c2FsdHNhbHRzYWx0$jlRjT3GORvwFEraBoPd4L7NXt5zVt5ceJwunD4wQhjc",
	"Argon2id":  "$argon2id$v=19$m=4096,t=3,p=1$c2FsdHNhbHRzYWx0$XipkDWh6WeBGLZNux5oGt3Wy1614ndjGEi2wltkYlWs",
}

// TestForeignHashes: whoever was imported logs in with the password of before, which is a hash of ours from then on.
func TestForeignHashes(t *testing.T) {
	for name, hash := range foreignHashes {
		t.Run(name, func(t *testing.T) {
			store := newMemory()
			a, err := New(store, testIssuer{store: store}, Config{NoThrottling: true})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := NewAdmin(a, nil).Create(t.Context(), issuer.Enrolment{Name: "Ada", PasswordHash: hash}, issuer.Subject{}); err != nil {
				t.Fatal(err)
			}
			if _, err := a.LogIn(t.Context(), "ada", staple+"r", issuer.Device{}); err != issuer.ErrInvalidCredentials || store.accounts["ada"].PasswordHash != hash {
				t.Errorf("a wrong password: %v, %s", err, store.accounts["ada"].PasswordHash)
			}
			early, err := a.LogIn(t.Context(), "ada", staple, issuer.Device{})
			if err != nil {
				t.Fatal(err)
			}
			late, err := a.LogIn(t.Context(), "ada", staple, issuer.Device{})
			if err != nil {
				t.Fatal(err)
			}
			if err := store.confirm(early); err != nil {
				t.Fatal(err)
			}
			ours := store.accounts["ada"].PasswordHash
			if !strings.HasPrefix(ours, "$argon2id$v=19$m=19456,t=2,p=1$") {
				t.Errorf("after the login it's %s", ours)
			}
			if err := store.confirm(late); err != issuer.ErrBusy || store.accounts["ada"].PasswordHash != ours {
				t.Errorf("a login at the same moment, which can't tell whether the password was changed: %v, %s", err, store.accounts["ada"].PasswordHash)
			}
			if _, err := a.LogIn(t.Context(), "ada", staple, issuer.Device{}); err != nil {
				t.Errorf("the login after: %v", err)
			}
		})
	}
}

// TestHostileHashes: none that costs much, or isn't one, gets in.
func TestHostileHashes(t *testing.T) {
	a, calls := counted(t, newMemory(), Config{})
	admin := NewAdmin(a, nil)
	const salt, key = "MDEyMzQ1Njc4OWFiY2RlZg", "tjK03tRvEjqCcPwmgtddMkgjlXrk8U/b9rIvfeBMKCc"
	for _, hash := range []string{
		"x", "$", "password", "$1$abc$def", "$5$rounds=999999999$abc$def", "$argon2d$v=19$m=4096,t=3,p=1$" + salt + "$" + key,
		"$2b$15$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", "$2b$31$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", "$2b$03$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
		"$2x$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/Zsu", "$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS\n",
		"$scrypt$ln=18,r=8,p=1$" + salt + "$" + key, "$scrypt$ln=63,r=1,p=1$" + salt + "$" + key, "$scrypt$ln=99,r=99,p=9$" + salt + "$" + key, "$scrypt$ln=14,r=8,p=5$" + salt + "$" + key,
		"$scrypt$ln=0,r=8,p=1$" + salt + "$" + key, "$scrypt$ln=014,r=8,p=1$" + salt + "$" + key, "$scrypt$ln=14,r=8,p=1$" + salt + "==$" + key, "$scrypt$ln=14,r=8,p=1$$" + key, "$scrypt$ln=14,r=8,p=1$" + salt + "$AAAA",
		"$scrypt$ln=14,r=8,p=1$" + salt + "$" + strings.Repeat("A", 1<<20), "$scrypt$ln=14,r=8,p=1$" + salt[:21] + "h$" + key, "$scrypt$ln=14,r=8,p=1$c2FsdHNhbA$" + key,
		"$scrypt$ln=14,r=8,p=1$" + strings.Repeat("AAAA", 22) + "$" + key, "$scrypt$ln=14,r=8,p=1$" + salt + "$" + strings.Repeat("AAAA", 22),
		"$argon2i$v=19$m=262145,t=1,p=1$" + salt + "$" + key, "$argon2id$v=19$m=262144,t=16,p=1$" + salt + "$" + key, "$argon2i$v=19$m=262144,t=5,p=1$" + salt + "$" + key, "$argon2i$argon2id$v=19$m=4096,t=3,p=1$" + salt + "$" + key,
	} {
		_, err := admin.Create(t.Context(), issuer.Enrolment{Name: "ada", PasswordHash: hash}, issuer.Subject{})
		var input *issuer.InputError
		if !errors.As(err, &input) || input.Field != "password_hash" {
			t.Errorf("%.80q: %v", hash, err)
		}
	}
	if _, err := admin.Create(t.Context(), issuer.Enrolment{Name: "ada", Password: password, PasswordHash: foreignHashes["scrypt"]}, issuer.Subject{}); err == nil {
		t.Error("a password and a hash are let through")
	}
	if calls.Load() != 0 {
		t.Errorf("%d hashes were computed", calls.Load())
	}
}

// TestDearestHashes: whatever costs just as much as the server bears is taken, and so is the least that is a hash.
func TestDearestHashes(t *testing.T) {
	const least, most = "MDEyMzQ1Njc", "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZg" // 8 and 64 bytes
	const leastKey = "MDEyMzQ1Njc4OWFiY2RlZg"                                                                                   // 16
	for _, hash := range []string{
		"$2b$14$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS", "$2b$04$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS",
		"$scrypt$ln=17,r=8,p=4$" + most + "$" + most, "$scrypt$ln=1,r=1,p=1$" + least + "$" + leastKey,
		"$argon2id$v=19$m=262144,t=4,p=16$" + most + "$" + most, "$argon2i$v=19$m=65536,t=16,p=1$" + least + "$" + leastKey, "$argon2id$v=19$m=128,t=1,p=16$" + least + "$" + leastKey,
	} {
		if err := checkImport(hash); err != nil {
			t.Errorf("%s: %v", hash, err)
		}
	}
}

// TestReferenceOfArgon2i holds the dispatch to the variant that a hash names.
func TestReferenceOfArgon2i(t *testing.T) {
	as := strings.Replace(foreignHashes["Argon2id"], "argon2id", "argon2i", 1)
	if h, err := parseStoredHash(as); err != nil || h.matches(argon2.IDKey, staple) {
		t.Errorf("an Argon2id key passes for one of Argon2i, %v", err)
	}
}

// FuzzCheckImport: a hash that is taken costs no more than the server bears, and is read again from the database as it
// came.
func FuzzCheckImport(f *testing.F) {
	const salt, key = "c29tZXNhbHRzb21lc2FsdA", "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE"
	for _, seed := range []string{
		reference, strings.Replace(reference, "argon2id", "argon2i", 1), "$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW", "$2y$31$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW",
		"$scrypt$ln=15,r=8,p=1$" + salt + "$" + key, "$scrypt$ln=63,r=99,p=9$" + salt + "$" + key, "$argon2id$v=19$m=1048576,t=2,p=1$" + salt + "$" + key, "$argon2i$$argon2id$",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if checkImport(text) != nil {
			return
		}
		h, err := parseStoredHash(text)
		if err != nil {
			t.Fatalf("%q is imported, and then isn't read: %v", text, err)
		}
		memory, work := uint64(0), uint64(0) // bytes
		again := ""
		switch h := h.(type) {
		case passwordHash:
			again, memory, work = h.String(), uint64(h.memory)<<10, uint64(h.memory)*uint64(h.time)<<10
		case argon2iHash:
			again, memory, work = strings.Replace(h.String(), "$argon2id$", "$argon2i$", 1), uint64(h.memory)<<10, uint64(h.memory)*uint64(h.time)<<10
		case scryptHash:
			again, memory = h.String(), uint64(h.r)<<(h.ln+7)
			work = memory * uint64(h.p)
		case bcryptHash:
			again = string(h)
			if cost, err := bcrypt.Cost([]byte(text)); err != nil || cost > maxBcryptCost {
				t.Errorf("%q: cost %d, %v", text, cost, err)
			}
		}
		if again != text || memory > max(maxHashMemory<<10, maxScryptMemory) || work > max(maxForeignWork<<10, maxScryptMemory*maxScryptLanes) {
			t.Errorf("%q is %q, takes %d bytes and goes over %d", text, again, memory, work)
		}
	})
}
