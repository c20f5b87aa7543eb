package server_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// place is where a server comes and goes: its address, its data and its secrets.
type place struct {
	*testing.T
	address, dir, credential string
	database                 string // of PostgreSQL; "" is SQLite in dir
	kek                      []byte
	older                    [][]byte // key-encryption keys
	server                   *server.Server
	stop                     func()
}

func newPlace(t *testing.T) *place { return openPlace(t, "") }

func openPlace(t *testing.T, database string) *place {
	p := &place{
		T: t, address: "127.0.0.1:0", dir: filepath.Join(t.TempDir(), "data"), database: database,
		credential: server.NewSecret().Text(), kek: server.NewSecret().Bytes(),
	}
	p.start()
	t.Cleanup(func() { p.stop() })
	return p
}

func (p *place) url() string { return "http://" + p.address }

func (p *place) config() server.Config {
	return server.Config{
		Issuer: issuer.Config{
			URL:              p.url(),
			Resources:        []issuer.Resource{{Audience: "petstore", Scopes: []string{"pets:read"}}},
			Clients:          []issuer.Client{{ID: "client_app", Scopes: []string{"pets:read"}, FirstParty: true}},
			KeyEncryptionKey: p.kek, OlderKeyEncryptionKeys: p.older,
		},
		Database: p.database, DataDir: p.dir, OpenSignUp: true, SignUpScope: []string{"pets:read"},
		FeedCredentials: []string{p.credential}, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
}

func (p *place) recovery() server.RecoverConfig {
	return server.RecoverConfig{Database: p.database, DataDir: p.dir, URL: p.url(), KeyEncryptionKey: p.kek, OlderKeyEncryptionKeys: p.older}
}

func (p *place) start() {
	p.Helper()
	listener, err := net.Listen("tcp", p.address)
	p.do(err)
	p.address = listener.Addr().String()
	s, err := server.New(context.Background(), p.config())
	if err != nil {
		p.Fatal(errors.Join(err, listener.Close()))
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }() // ends with stop
	p.server = s
	p.stop = sync.OnceFunc(func() {
		cancel()
		if err := errors.Join(<-served, s.Close()); err != nil {
			p.Error(err)
		}
	})
}

func (p *place) do(err error) {
	p.Helper()
	if err != nil {
		p.Fatal(err)
	}
}

// post answers the status and the tokens of an answer, if it has some.
func (p *place) post(path, token string, body any) (int, tokens) {
	p.Helper()
	s := site{url: p.url()}
	status, answer := s.post(p.T, path, token, body)
	var pair tokens
	if status == http.StatusOK {
		p.do(json.Unmarshal(answer, &pair))
	}
	return status, pair
}

func (p *place) signUp(name string) tokens {
	p.Helper()
	if status, _ := p.post("/v1/signup", "", map[string]string{"username": name, "password": password}); status != http.StatusCreated {
		p.Fatalf("sign up: %d", status)
	}
	return p.logIn(name)
}

func (p *place) logIn(name string) tokens {
	p.Helper()
	status, pair := p.post("/v1/login", "", map[string]string{"username": name, "password": password})
	if status != http.StatusOK {
		p.Fatalf("log in: %d", status)
	}
	return pair
}

func (p *place) refresh(token string) (int, tokens) {
	p.Helper()
	return p.post("/v1/refresh", "", map[string]string{"refresh_token": token})
}

func (p *place) backup(name string) string {
	p.Helper()
	file := filepath.Join(p.TempDir(), name)
	p.do(server.Backup(p.Context(), p.dir, file, nil))
	return file
}

// follower is an API's verifier: keys and rules come over HTTP.
type follower struct {
	*jot.Verifier
	reader *revocation.Reader
}

func (p *place) follow() follower {
	p.Helper()
	options := jwks.Options{MinRefresh: 50 * time.Millisecond}
	keys, err1 := jwks.NewSource(p.url()+"/.well-known/jwks.json", options)
	feedKeys, err2 := jwks.NewSource(p.url()+"/feed/jwks.json", options)
	p.do(errors.Join(err1, err2))
	reader, err := revocation.NewReader(revocation.ReaderOptions{
		URL: p.url() + "/feed", Issuer: p.url(), Keys: feedKeys, Credential: p.credential, MaxStaleness: time.Minute, // no busy machine ends that
	})
	p.do(err)
	p.Cleanup(func() { errors.Join(reader.Close(), keys.Close(), feedKeys.Close()) })
	verifier, err := jot.NewVerifier(keys, jot.VerifierOptions{Issuer: p.url(), Audience: "petstore", Type: "at+jwt", Revocation: reader})
	p.do(err)
	f := follower{verifier, reader}
	p.do(reader.WaitFresh(p.Context()))
	return f
}

// until waits for a condition that has to come true.
func (p *place) until(what string, is func() bool) {
	p.Helper()
	for deadline := time.Now().Add(patience); !is(); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			p.Fatalf("not in %v: %s", patience, what)
		}
	}
}

// TestRestore: what was revoked after the backup, and all else of before, is refused by a verifier that followed the
// old log and by one that starts anew. Everybody can log in, and both accept that.
func TestRestore(t *testing.T) {
	p := newPlace(t)
	ada, eve, mallory := p.signUp("ada"), p.signUp("eve"), p.signUp("mallory")
	backup := p.backup("monday.db")
	followed := p.follow()
	for _, pair := range []tokens{ada, eve, mallory} {
		p.do(followed.Check(t.Context(), pair.Access))
	}
	logID := followed.reader.State().LogID

	// After the backup: a refresh, a logout, a ban, a new key and a new account.
	_, later := p.refresh(ada.Refresh)
	p.do(followed.Check(t.Context(), later.Access))
	if status, _ := p.post("/v1/logout", eve.Access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d", status)
	}
	banned, err := followed.Verify(t.Context(), mallory.Access)
	p.do(err)
	p.do(p.server.Issuer().DisableSubject(t.Context(), banned.Subject()))
	p.do(p.server.Issuer().RevokeKey(t.Context(), p.server.Issuer().KeySet().Keys()[0].KeyID()))
	newcomer := p.signUp("newcomer")
	p.until("the newcomer's token is accepted", func() bool { return followed.Check(t.Context(), newcomer.Access) == nil })
	p.stop()

	restore := server.RestoreConfig{RecoverConfig: p.recovery(), File: backup}
	if _, err := server.Restore(t.Context(), restore); err == nil || !strings.Contains(err.Error(), "--replace") {
		t.Fatalf("over an existing database: %v", err)
	}
	restore.Replace = true
	done, err := server.Restore(t.Context(), restore)
	p.do(err)
	if done.Sessions != 3 || done.Before.LogID != logID || done.Aside == "" {
		t.Errorf("%+v", done)
	}
	if _, err := os.Stat(filepath.Join(done.Aside, server.DatabaseName)); err != nil {
		t.Error(err)
	}
	p.start()

	fresh := p.follow()
	p.until("the old reader follows the new log", func() bool { return followed.reader.State().LogID == done.After.LogID })
	for name, f := range map[string]follower{"followed": followed, "fresh": fresh} {
		for of, pair := range map[string]tokens{"ada": ada, "ada, refreshed": later, "eve, logged out": eve, "mallory, banned": mallory, "newcomer": newcomer} {
			if err := f.Check(t.Context(), pair.Access); !errors.Is(err, jot.ErrInvalidToken) {
				t.Errorf("%s: the token of %s: %v, want a refusal", name, of, err)
			}
		}
	}
	for of, pair := range map[string]tokens{"ada": ada, "ada, refreshed": later, "eve": eve, "mallory": mallory, "newcomer": newcomer} {
		if status, _ := p.refresh(pair.Refresh); status != http.StatusUnauthorized {
			t.Errorf("refresh of %s: %d", of, status)
		}
	}
	again := p.logIn("ada")
	for name, f := range map[string]follower{"followed": followed, "fresh": fresh} {
		p.until(name+" accepts a new login", func() bool { return f.Check(t.Context(), again.Access) == nil })
	}
	if status, _ := p.refresh(again.Refresh); status != http.StatusOK {
		t.Errorf("refresh after the restore: %d", status)
	}
}

// putBack puts an older state of the database in place, as somebody does who copies files.
func (p *place) putBack(backup string) {
	p.Helper()
	content, err := os.ReadFile(backup)
	p.do(err)
	p.do(os.WriteFile(filepath.Join(p.dir, server.DatabaseName), content, 0o600))
}

// TestRewoundDatabaseIsSeen: a database that somebody put back doesn't start, until it's recovered.
func TestRewoundDatabaseIsSeen(t *testing.T) {
	p := newPlace(t)
	ada := p.signUp("ada")
	backup := p.backup("old.db")
	if status, _ := p.post("/v1/logout", ada.Access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d", status)
	}
	p.stop()
	p.start()
	p.stop()
	p.putBack(backup)
	for range 2 { // a refused start changes nothing
		if _, err := server.New(t.Context(), p.config()); !errors.Is(err, issuer.ErrRewound) || !strings.Contains(err.Error(), "jot recover") {
			t.Fatalf("error %v, want ErrRewound and what to do", err)
		}
	}
	done, err := server.Recover(t.Context(), p.recovery())
	p.do(err)
	p.start()
	if status, _ := p.refresh(ada.Refresh); status != http.StatusUnauthorized || done.Sessions != 1 {
		t.Errorf("%d; %+v", status, done)
	}
	p.logIn("ada")
}

func TestLostDatabaseIsSeen(t *testing.T) {
	p := newPlace(t)
	p.stop()
	p.do(os.Remove(filepath.Join(p.dir, server.DatabaseName)))
	if _, err := server.New(t.Context(), p.config()); err == nil || !strings.Contains(err.Error(), "jot restore") {
		t.Errorf("error %v doesn't say what to do", err)
	}
	if _, err := os.Stat(filepath.Join(p.dir, server.DatabaseName)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a refused start made a database: %v", err)
	}
}

func TestDamagedWitness(t *testing.T) {
	p := newPlace(t)
	p.stop()
	for _, text := range []string{"", "{}", `{"log_id":"x","sequence":1,"hash":"AAAA","time":0}`} {
		p.do(os.WriteFile(p.dir+".witness", []byte(text), 0o600))
		if _, err := server.New(t.Context(), p.config()); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%q: error %v", text, err)
		}
	}
	_, err := server.Recover(t.Context(), p.recovery())
	p.do(err)
	p.start()
}

// TestUnreadWitness: nobody is told to remove a witness that may be good.
func TestUnreadWitness(t *testing.T) {
	for _, one := range []struct {
		err    error
		remove bool
	}{
		{&fs.PathError{Op: "open", Path: "data.witness", Err: fs.ErrPermission}, false},
		{errors.New("the witness data.witness is damaged"), true},
	} {
		if got := server.AdviseUnread(one.err); strings.Contains(got.Error(), "remove it") != one.remove || !errors.Is(got, one.err) {
			t.Errorf("%v: %v", one.err, got)
		}
	}
}

func TestWitnessInsideTheDataDirectory(t *testing.T) {
	c := (&place{T: t, dir: "data", kek: server.NewSecret().Bytes(), address: "127.0.0.1:1"}).config()
	for _, file := range []string{"data/witness", "./data/x/../witness", "data"} {
		if c.WitnessFile = file; c.Validate() == nil {
			t.Errorf("%s is accepted", file)
		}
	}
	c.WitnessFile = "data.witness"
	if err := c.Validate(); err != nil {
		t.Error(err)
	}
}

// TestRewoundUnderAServer: a database that goes back while a server runs is seen, and nothing is served from it until
// it's recovered.
func TestRewoundUnderAServer(t *testing.T) {
	p := newPlace(t)
	ada := p.signUp("ada")
	store, err := sqlstore.Open(t.Context(), filepath.Join(p.dir, server.DatabaseName), sqlstore.Options{})
	p.do(err)
	defer store.Close()
	before, err := p.server.Issuer().LogHead(t.Context())
	p.do(err)
	if status, _ := p.post("/v1/logout", ada.Access, struct{}{}); status != http.StatusNoContent {
		t.Fatalf("log out: %d", status)
	}
	head, err := p.server.Issuer().LogHead(t.Context())
	p.do(err)
	p.until("the witness has seen the logout", func() bool {
		text, err := os.ReadFile(p.dir + ".witness")
		return err == nil && strings.Contains(string(text), `"sequence":1,`)
	})
	status := func(path string) int {
		response, err := http.Get(p.url() + path)
		p.do(err)
		response.Body.Close()
		return response.StatusCode
	}
	p.do(store.Update(t.Context(), func(tx issuer.Tx) error { return tx.PutLogHead(before) }))
	p.until("it is seen", func() bool { return status("/readyz") == http.StatusServiceUnavailable })
	if got := status("/healthz"); got != http.StatusOK {
		t.Errorf("/healthz: %d", got)
	}
	if got, _ := p.post("/v1/login", "", map[string]string{"username": "ada", "password": password}); got != http.StatusServiceUnavailable {
		t.Errorf("login: %d", got)
	}
	p.do(store.Update(t.Context(), func(tx issuer.Tx) error { return tx.PutLogHead(head) }))
	p.until("it is over", func() bool { return status("/readyz") == http.StatusOK })
}

// TestBackupWhileWriting: a backup is one state of the database, however much is written meanwhile.
func TestBackupWhileWriting(t *testing.T) {
	p := newPlace(t)
	subject, err := issuer.NewSubject(nil, nil)
	p.do(err)
	p.do(p.server.Issuer().CreateSubject(t.Context(), subject))
	stop := make(chan struct{})
	var wait sync.WaitGroup
	for range 4 {
		wait.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				tokens, err := p.server.Issuer().Issue(context.Background(), issuer.Grant{Subject: subject.ID})
				if err == nil {
					err = p.server.Issuer().EndSession(context.Background(), subject.ID, tokens.SessionID)
				}
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	for n := range 5 {
		file := filepath.Join(t.TempDir(), "backup.db")
		told := 0
		p.do(server.Backup(t.Context(), p.dir, file, func(done, total int) { told = total - done + 1 }))
		if told != 1 {
			t.Error("the end of the backup wasn't told")
		}
		p.checkBackup(file, n)
	}
	close(stop)
	wait.Wait()
}

func (p *place) checkBackup(file string, n int) {
	p.Helper()
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		p.Errorf("%v, %v", info, err)
	}
	if files, err := os.ReadDir(filepath.Dir(file)); err != nil || len(files) != 1 {
		p.Errorf("beside the backup: %v, %v", files, err)
	}
	if err := server.Backup(p.Context(), p.dir, file, nil); err == nil || !strings.Contains(err.Error(), "never overwritten") {
		p.Errorf("over a backup: %v", err)
	}
	store, err := sqlstore.Open(p.Context(), file, sqlstore.Options{})
	p.do(err)
	defer store.Close()
	p.do(store.View(p.Context(), func(r issuer.Reader) error {
		head, err1 := r.LogHead()
		entries, err2 := r.LogEntries(0, 1<<20)
		chain := revocation.NewLog(head.LogID)
		for _, e := range entries {
			chain = chain.Append(e.Rule)
		}
		if chain != head || n > 0 && head.Sequence == 0 {
			p.Errorf("backup %d: %d rules lead to %+v, and the head is %+v", n, len(entries), chain, head)
		}
		return errors.Join(err1, err2)
	}))
}

// TestRecoverPostgres: one server recovers the database that went back in time, and the other goes on without.
func TestRecoverPostgres(t *testing.T) {
	database := pgtest.Database(t)
	p := openPlace(t, database)
	ada := p.signUp("ada")
	p.stop()
	other := p.config()
	other.DataDir = filepath.Join(t.TempDir(), "other")
	second, err := server.New(t.Context(), other)
	p.do(err)
	p.do(second.Close())

	pgtest.Exec(t, database, "UPDATE jot.settings SET value = 0 WHERE name = 'witness_mark'") // as a standby that was promoted too early
	for name, c := range map[string]server.Config{"first": p.config(), "other": other} {
		if _, err := server.New(t.Context(), c); !errors.Is(err, issuer.ErrRewound) {
			t.Errorf("%s: error %v, want ErrRewound", name, err)
		}
	}
	done, err := server.Recover(t.Context(), p.recovery())
	p.do(err)
	if done.Sessions != 1 {
		t.Errorf("%+v", done)
	}
	p.start()
	if status, _ := p.refresh(ada.Refresh); status != http.StatusUnauthorized {
		t.Errorf("refresh: %d", status)
	}
	again := p.logIn("ada")
	if second, err = server.New(t.Context(), other); err != nil {
		t.Fatalf("the other server: %v", err)
	}
	defer second.Close()
	for access, want := range map[string]error{ada.Access: jot.ErrInvalidToken, again.Access: nil} {
		if err := second.Issuer().Verifier().Check(t.Context(), access); !errors.Is(err, want) {
			t.Errorf("error %v, want %v", err, want)
		}
	}
}
