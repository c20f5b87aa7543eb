package sqlstore_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// fill writes something into every table; more than one batch into one.
func fill(t *testing.T, store *sqlstore.Store) {
	t.Helper()
	subject, err := issuer.NewSubject(nil, []string{"pets:read"})
	if err != nil {
		t.Fatal(err)
	}
	account := accounts.Account{Name: "ann 雪", Display: "Ann 雪", Subject: subject.ID, PasswordHash: "$argon2id$…",
		Email: accounts.Email{Address: "Ann@example.com", Key: "ann@example.com", Verified: true}, Created: time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)}
	subject.Created = account.Created
	if err := store.Update(t.Context(), func(tx issuer.Tx) error {
		return errors.Join(tx.InsertSubject(subject), store.AccountsTx(tx).InsertAccount(account))
	}); err != nil {
		t.Fatal(err)
	}
	if err := store.UpdateAccounts(t.Context(), func(tx accounts.Tx) error {
		return errors.Join(tx.PutThrottle(accounts.Throttle{Slot: 7, Cleared: account.Created, Next: account.Created}),
			tx.PutTOTP(accounts.TOTP{Subject: subject.ID, Sealed: []byte{0, 255}, Step: 1 << 40, Confirmed: true, Created: account.Created}), tx.InsertRecoveryCode(subject.ID, [32]byte{255, 0}),
			tx.InsertPasskey(issuer.Passkey{ID: "p", Subject: subject.ID, Name: `Ω'"\`, Credential: []byte{0, 255}, PublicKey: []byte{255, 0}, SignCount: 1<<32 - 1, Transports: []string{"usb", "nfc"}, BackedUp: true, UserHandle: []byte{0, 255}, Created: account.Created}),
			tx.InsertTicket(accounts.Ticket{Hash: [32]byte{2, 255}, Purpose: accounts.ToVerify, Subject: subject.ID, Detail: "ann@example.com", Expires: account.Created}))
	}); err != nil {
		t.Fatal(err)
	}
	err = store.Update(t.Context(), func(tx issuer.Tx) error {
		head := revocation.NewLog("log").Append(revocation.Rule{Kind: revocation.Key, Issuer: "i", Value: "k"})
		err := errors.Join(tx.PutLogHead(revocation.NewLog("before")), tx.ReplaceLog(revocation.NewLog("log")))
		err = errors.Join(err, tx.InsertKey(issuer.Key{ID: "k", Sealed: []byte{0, 255}}), tx.PutLogHead(head), tx.PutSetting("a", -1<<62), tx.PutURL("https://auth.example.com"),
			tx.AppendRule(issuer.LogEntry{Sequence: 1, Rule: revocation.Rule{Kind: revocation.Key, Issuer: "i", Value: "k"}, Hash: head.Hash}))
		err = errors.Join(err, tx.InsertClient(issuer.Client{ID: "client_a", SecretHash: []byte{1}, FirstParty: true}), tx.InsertClient(issuer.Client{ID: "client_public"}), tx.InsertKey(issuer.Key{ID: "remote"}), tx.InsertResource(issuer.Resource{Audience: "a"}),
			tx.PutBootstrap(issuer.Bootstrap{Hash: [32]byte{1, 255}, Expires: time.UnixMilli(1)}), tx.InsertLogoutToken([32]byte{255, 0}, time.UnixMilli(1)),
			tx.InsertAssertion([]byte{0, 255}, time.UnixMilli(1)))
		err = errors.Join(err, tx.PutVerifier(issuer.Verifier{ID: "v", Server: "s", MaxStaleness: time.Second, Registered: account.Created}),
			tx.PutAsked(revocation.Cursor{LogID: "log", Sequence: 1}), tx.Acknowledge(revocation.Cursor{LogID: "log", Sequence: 1}, []string{"v"}))
		err = errors.Join(err, tx.InsertSignIn(issuer.SignIn{ID: "in", Hash: "h", Subject: subject.ID, AuthTime: time.UnixMilli(1)}), tx.InsertCode(issuer.Code{Hash: "c", Nonce: `Ω'"\`}),
			tx.PutConsent(issuer.Consent{Subject: subject.ID, ClientID: "client_a", Scope: []string{"a"}}), tx.InsertNotice(issuer.Notice{ID: "n"}),
			tx.InsertDeviceCode(issuer.DeviceCode{Hash: "d", UserHash: "u", Scope: []string{"a"}, Interval: time.Second}))
		for n := range 300 {
			err = errors.Join(err, tx.InsertSession(issuer.Session{ID: fmt.Sprint(n), Subject: subject.ID, UserAgent: `Ω'"\`, Counters: issuer.Counters{Current: uint64(n)}}),
				tx.InsertEvent(issuer.Event{Detail: fmt.Sprint(n)}))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// content is what an issuer reads from a store.
func content(t *testing.T, store *sqlstore.Store) []any {
	t.Helper()
	var account accounts.Account
	var throttle accounts.Throttle
	var ticket accounts.Ticket
	var passkeys []issuer.Passkey
	err := store.ViewAccounts(t.Context(), func(r accounts.Reader) (err1 error) {
		account, err1 = r.AccountByName("ann 雪")
		var err2 error
		throttle, err2 = r.Throttle(7)
		var err3 error
		ticket, err3 = r.Ticket([32]byte{2, 255})
		var err4 error
		passkeys, err4 = r.Passkeys(account.Subject)
		return errors.Join(err1, err2, err3, err4)
	})
	all := []any{account, throttle, ticket, passkeys}
	err = errors.Join(err, store.View(t.Context(), func(r issuer.Reader) error {
		subject, err1 := r.Subject(account.Subject)
		keys, err2 := r.Keys()
		head, err3 := r.LogHead()
		entries, err4 := r.LogEntries(0, 100)
		events, err5 := r.Events(issuer.EventFilter{}, 0, 1000)
		value, err6 := r.Setting("a")
		clients, err7 := r.Clients("", 10)
		resources, err8 := r.Resources("", 10)
		bootstrap, err9 := r.Bootstrap()
		replaced, err10 := r.ReplacedLog("before")
		verifiers, err11 := r.Verifiers()
		asked, err12 := r.Asked()
		signIn, _, err13 := r.SignInByHash("h")
		code, err14 := r.Code("c")
		consent, err15 := r.Consent(subject.ID, "client_a", "")
		all = append(all, verifiers, asked, signIn, code, consent, bootstrap, subject, clients, resources, keys, head, replaced, entries, events, value)
		for n := range 300 {
			session, _, err := r.Session(fmt.Sprint(n))
			if err != nil {
				return err
			}
			all = append(all, session)
		}
		return errors.Join(err1, err2, err3, err4, err5, err6, err7, err8, err9, err10, err11, err12, err13, err14, err15)
	}))
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCopy goes from SQLite to PostgreSQL and back: all is the same, and new rows follow the old ones.
func TestCopy(t *testing.T) {
	first := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	second := openPostgres(t, pgtest.Database(t), sqlstore.Options{})
	third := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	fill(t, first)
	want := content(t, first)
	last := make(map[string]sqlstore.Progress)
	if err := sqlstore.Copy(t.Context(), first, second, func(p sqlstore.Progress) { last[p.Table] = p }); err != nil {
		t.Fatal(err)
	}
	for table, p := range last {
		if p.Rows != p.Total || p.Rows == 0 {
			t.Errorf("table %s: %d rows of %d", table, p.Rows, p.Total)
		}
	}
	if err := sqlstore.Copy(t.Context(), second, third, nil); err != nil {
		t.Fatal(err)
	}
	for name, store := range map[string]*sqlstore.Store{"PostgreSQL": second, "SQLite": third} {
		if !reflect.DeepEqual(content(t, store), want) {
			t.Errorf("%s: the copy differs", name)
		}
		var events []issuer.Event
		err := store.Update(t.Context(), func(tx issuer.Tx) (err error) {
			if err := tx.InsertEvent(issuer.Event{Detail: "new"}); err != nil {
				return err
			}
			events, err = tx.Events(issuer.EventFilter{}, 300, 10)
			return err
		})
		if err != nil || len(events) != 1 || events[0].Detail != "new" {
			t.Errorf("%s: events after the copied ones: %+v, %v", name, events, err)
		}
		if err := sqlstore.Copy(t.Context(), first, store, nil); !errors.Is(err, sqlstore.ErrNotEmpty) {
			t.Errorf("%s: error %v, want ErrNotEmpty", name, err)
		}
	}
}

// TestCopyFails: a copy that fails leaves the target as empty as it was.
func TestCopyFails(t *testing.T) {
	first := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	fill(t, first)
	second := openPostgres(t, pgtest.Database(t), sqlstore.Options{})
	ctx, cancel := context.WithCancel(t.Context())
	err := sqlstore.Copy(ctx, first, second, func(p sqlstore.Progress) {
		if p.Table == "events" {
			cancel()
		}
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v, want Canceled", err)
	}
	if err := sqlstore.Copy(t.Context(), first, second, nil); err != nil {
		t.Error(err)
	}
}

// TestCopyTakesItsTime: a source whose rows are read slowly isn't ended by the limit for everyday statements.
func TestCopyTakesItsTime(t *testing.T) {
	const limit = 500 * time.Millisecond
	database := pgtest.Database(t)
	first := openPostgres(t, fmt.Sprintf("%s?statement_timeout=%d", database, limit.Milliseconds()), sqlstore.Options{})
	pgtest.Exec(t, database, `INSERT INTO jot.events (written, kind, subject, session, client_id, user_agent, address, detail)
		SELECT n, '', '', '', '', '', '', repeat('x', 100000) FROM generate_series(1, 300) n`) // more than the network holds
	second := open(t, filepath.Join(t.TempDir(), "jot.db"), sqlstore.Options{})
	err := sqlstore.Copy(t.Context(), first, second, func(p sqlstore.Progress) {
		if p.Table == "events" && p.Rows == 0 {
			time.Sleep(3 * limit)
		}
	})
	if err != nil {
		t.Error(err)
	}
}

// TestCopyKnowsEveryTable: a table that a migration adds must be copied as well.
func TestCopyKnowsEveryTable(t *testing.T) {
	path := filepath.Join(t.TempDir(), "jot.db")
	open(t, path, sqlstore.Options{})
	db, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	rows, err := db.Query("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' AND name <> 'goose_db_version'")
	if err != nil {
		t.Fatal(err)
	}
	defer rows.Close()
	for rows.Next() {
		var name string
		if err := rows.Scan(&name); err != nil {
			t.Fatal(err)
		}
		if !slices.Contains(sqlstore.Tables, name) {
			t.Errorf("table %s isn't copied: add it to the tables of copy.go", name)
		}
	}
	if err := rows.Err(); err != nil {
		t.Error(err)
	}
}

func TestReadSchema(t *testing.T) {
	path, database := filepath.Join(t.TempDir(), "jot.db"), pgtest.Database(t)
	if _, err := sqlstore.ReadSchema(t.Context(), path); err == nil {
		t.Error("a file that doesn't exist has a schema")
	}
	before, err := sqlstore.ReadSchema(t.Context(), database)
	if err != nil || before.Version != 0 || before.Newest == 0 || len(before.Pending) == 0 {
		t.Errorf("empty: %+v, %v", before, err)
	}
	open(t, path, sqlstore.Options{})
	openPostgres(t, database, sqlstore.Options{})
	for _, name := range []string{path, database} {
		after, err := sqlstore.ReadSchema(t.Context(), name)
		if err != nil || after.Version != after.Newest || len(after.Pending) != 0 {
			t.Errorf("%+v, %v", after, err)
		}
	}
}
