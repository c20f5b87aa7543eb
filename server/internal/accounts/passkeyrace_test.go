package accounts_test

import (
	"errors"
	"path/filepath"
	"sync"
	"testing"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// TestImportPasskeyRace: of imports of one credential at once, to its owner twice and to somebody else, one counts,
// with its recovery codes; the others say why not.
func TestImportPasskeyRace(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) {
		raceImports(t, func() (*sqlstore.Store, error) {
			return sqlstore.Open(t.Context(), filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
		})
	})
	t.Run("PostgreSQL", func(t *testing.T) {
		raceImports(t, func() (*sqlstore.Store, error) {
			return sqlstore.OpenPostgres(t.Context(), pgtest.Database(t), sqlstore.Options{})
		})
	})
}

func raceImports(t *testing.T, open func() (*sqlstore.Store, error)) {
	store, err := open()
	if err != nil {
		t.Fatal(err)
	}
	i, err := issuer.New(t.Context(), store, issuer.Config{
		URL: "https://auth.example.com", KeyEncryptionKey: make([]byte, 32), Resources: []issuer.Resource{{Audience: "petstore"}}, Clients: []issuer.Client{{ID: "client_app", FirstParty: true}},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { i.Close(); store.Close() })
	people, err := accounts.New(store, i, accounts.Config{})
	if err != nil {
		t.Fatal(err)
	}
	var subjects []string
	for _, name := range []string{"ada", "bob"} {
		subject, err := people.Add(t.Context(), name, "correct horse battery staple")
		if err != nil {
			t.Fatal(err)
		}
		subjects = append(subjects, subject)
	}
	passkey := issuer.ForeignPasskey{
		RelyingParty: "auth.example.com", Name: "Phone", Credential: "AAECAwQFBgcICQoLDA0ODw", RecoveryHashes: []string{"d9effb02e1e796469235b82b927d0a2b00d8f8447fa11a19021db1931156713a"},
		PublicKey: "pQECAyYgASFYIGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWIlggT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
	}
	owners := []string{subjects[0], subjects[0], subjects[1], subjects[1]}
	results := make([]error, len(owners))
	var all sync.WaitGroup
	for n, owner := range owners {
		all.Go(func() { results[n] = accounts.NewAdmin(people, store).ImportPasskey(t.Context(), owner, passkey) })
	}
	all.Wait()
	winner := ""
	for n, err := range results {
		if err == nil {
			if winner != "" {
				t.Error("two imports count")
			}
			winner = owners[n]
		}
	}
	for n, err := range results {
		refused, input := errors.AsType[*issuer.InputError](err)
		switch {
		case err == nil:
		case owners[n] == winner && !errors.Is(err, issuer.ErrTaken), owners[n] != winner && (!input || refused.Field != "credential_id"):
			t.Errorf("import for %q, which %q won: %v", owners[n], winner, err)
		}
	}
	for _, subject := range subjects {
		factors, err := people.Factors(t.Context(), subject)
		if err != nil || (len(factors) == 1) != (subject == winner) || len(factors) == 1 && factors[0].RecoveryCodes != 1 {
			t.Errorf("%q has %+v, %v; the winner is %q", subject, factors, err, winner)
		}
	}
}
