package accounts

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestInvite: an invitation is good for a second to 90 days, seven days unless told otherwise, and makes one account.
func TestInvite(t *testing.T) {
	store := newMemory()
	a, calls := counted(t, store, Config{Invited: true})
	admin := NewAdmin(a, nil)
	var input *issuer.InputError
	for field, c := range map[string]struct {
		good, bad []time.Duration
		note      int // bytes
	}{
		"expires_in": {[]time.Duration{0, time.Second, 90 * 24 * time.Hour}, []time.Duration{-1, time.Second - 1, 90*24*time.Hour + 1}, 200},
		"note":       {nil, []time.Duration{time.Hour}, 201},
	} {
		note := strings.Repeat("n", c.note)
		for _, ttl := range c.bad {
			if _, _, err := admin.Invite(t.Context(), note, ttl); !errors.As(err, &input) || input.Field != field {
				t.Errorf("for %v, with a note of %d bytes: %v", ttl, c.note, err)
			}
		}
		for n, ttl := range c.good {
			made, code, err := admin.Invite(t.Context(), note, ttl)
			if ttl == 0 {
				ttl = 7 * 24 * time.Hour
			}
			if err != nil || made.Note != note || !made.Created.Equal(store.now) || !made.Expires.Equal(store.now.Add(ttl)) {
				t.Errorf("for %v: %+v, %v", ttl, made, err)
			}
			name := "user" + string(rune('a'+n))
			if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: name, Password: password, Invitation: code}, issuer.Device{}); err != nil {
				t.Errorf("for %v: %v", ttl, err)
			}
			if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: name + "2", Password: password, Invitation: code}, issuer.Device{}); !errors.Is(err, issuer.ErrInvitation) {
				t.Errorf("for %v, twice: %v", ttl, err)
			}
		}
	}
	if len(store.accounts) != 3 || calls.Load() != 3 {
		t.Errorf("%d accounts after %d hashes, want 3 of each", len(store.accounts), calls.Load())
	}
}

// TestInvitationsOfPages: all that weren't used are listed once, page by page, and without their codes.
func TestInvitationsOfPages(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{Invited: true})
	admin := NewAdmin(a, nil)
	var made, listed []issuer.Invitation
	for _, note := range []string{"one", "two", "three"} {
		i, _, err := admin.Invite(t.Context(), note, time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		made = append(made, i)
	}
	for after := ""; ; {
		page, err := admin.Invitations(t.Context(), after, 2)
		if err != nil {
			t.Fatal(err)
		}
		if len(page) == 0 {
			break
		}
		listed = append(listed, page...)
		after = page[len(page)-1].ID
	}
	slices.SortFunc(made, func(a, b issuer.Invitation) int { return strings.Compare(a.Note, b.Note) })
	slices.SortFunc(listed, func(a, b issuer.Invitation) int { return strings.Compare(a.Note, b.Note) })
	if !slices.Equal(made, listed) {
		t.Errorf("made %+v, listed %+v", made, listed)
	}
	var input *issuer.InputError
	for _, after := range []string{"x", made[0].ID + "A", made[0].ID[1:], made[0].ID + "="} {
		if _, err := admin.Invitations(t.Context(), after, 2); !errors.As(err, &input) || input.Field != "after" {
			t.Errorf("after %q: %v", after, err)
		}
	}
}

// TestWithdraw voids an invitation, and nothing else that has a code.
func TestWithdraw(t *testing.T) {
	store := newMemory()
	a, _ := counted(t, store, Config{Invited: true})
	admin := NewAdmin(a, nil)
	if _, err := a.Add(t.Context(), "ada", password); err != nil {
		t.Fatal(err)
	}
	reset, err := a.issueReset(t.Context(), store.accounts["ada"])
	if err != nil {
		t.Fatal(err)
	}
	var resetID string
	for _, k := range store.tickets {
		resetID = k.invitation().ID
	}
	made, code, err := admin.Invite(t.Context(), "", time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", "x", made.ID[1:], made.ID + "A", resetID} {
		if err := admin.Withdraw(t.Context(), id); !errors.Is(err, issuer.ErrNotFound) {
			t.Errorf("withdraws %q: %v", id, err)
		}
	}
	for _, want := range []error{nil, issuer.ErrNotFound} {
		if err := admin.Withdraw(t.Context(), made.ID); !errors.Is(err, want) {
			t.Errorf("%v, want %v", err, want)
		}
	}
	if _, err := a.SignUp(t.Context(), issuer.Enrolment{Name: "bob", Password: password, Invitation: code}, issuer.Device{}); !errors.Is(err, issuer.ErrInvitation) {
		t.Errorf("an invitation that was withdrawn: %v", err)
	}
	if err := a.CompleteReset(t.Context(), reset, fresh); err != nil {
		t.Errorf("the code of a reset: %v", err)
	}
}
