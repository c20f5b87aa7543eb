package sqlstore_test

import (
	"errors"
	"path/filepath"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

func newAccount(t *testing.T, name string) (accounts.Account, issuer.Subject) {
	t.Helper()
	subject, err := issuer.NewSubject(nil, []string{"pets:read"})
	if err != nil {
		t.Fatal(err)
	}
	created := time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)
	return accounts.Account{Name: name, Subject: subject.ID, PasswordHash: "$argon2id$…", Created: created}, subject
}

func findSubject(t *testing.T, store *sqlstore.Store, id string) (issuer.Subject, error) {
	var subject issuer.Subject
	err := store.View(t.Context(), func(r issuer.Reader) (err error) {
		subject, err = r.Subject(id)
		return err
	})
	return subject, err
}

func TestAccounts(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	if _, err := store.AccountByName(t.Context(), "ann"); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("error %v, want ErrNotFound", err)
	}
	account, subject := newAccount(t, "ann")
	if err := store.CreateAccount(t.Context(), account, subject); err != nil {
		t.Fatal(err)
	}
	if found, err := store.AccountByName(t.Context(), "ann"); err != nil || found != account {
		t.Errorf("account %+v, %v, want %+v", found, err, account)
	}
	if found, err := findSubject(t, store, subject.ID); err != nil || !found.Created.Equal(account.Created) || found.Scope[0] != "pets:read" {
		t.Errorf("subject %+v, %v", found, err)
	}

	again, other := newAccount(t, "ann")
	if err := store.CreateAccount(t.Context(), again, other); !errors.Is(err, issuer.ErrTaken) {
		t.Errorf("error %v, want ErrTaken", err)
	}
	if _, err := findSubject(t, store, other.ID); !errors.Is(err, issuer.ErrNotFound) {
		t.Errorf("a refused sign-up left a subject behind: %v", err)
	}
	if found, err := store.AccountByName(t.Context(), "ann"); err != nil || found != account {
		t.Errorf("account %+v, %v, want %+v", found, err, account)
	}
}

// TestAccountRace: of many that sign up under one name, one does.
func TestAccountRace(t *testing.T) {
	store := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	var wait sync.WaitGroup
	var won atomic.Int32
	for range 16 {
		account, subject := newAccount(t, "ann")
		wait.Go(func() {
			err := store.CreateAccount(t.Context(), account, subject)
			if err == nil {
				won.Add(1)
			} else if !errors.Is(err, issuer.ErrTaken) {
				t.Error(err)
			}
		})
	}
	wait.Wait()
	if won.Load() != 1 {
		t.Errorf("%d signed up under one name", won.Load())
	}
}
