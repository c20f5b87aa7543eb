package accounts

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// memory is a Store for tests of the rules; the real ones have tests of their own.
type memory struct {
	mu        sync.Mutex
	accounts  map[string]Account
	subjects  map[string]issuer.Subject
	throttles map[int64]Throttle
	tickets   map[[32]byte]Ticket
	now       time.Time // of the database
	err       error     // answered by every method when set
}

func newMemory() *memory {
	return &memory{
		accounts: map[string]Account{}, subjects: map[string]issuer.Subject{}, throttles: map[int64]Throttle{}, tickets: map[[32]byte]Ticket{},
		now: time.Date(2030, 1, 2, 3, 4, 5, 0, time.UTC),
	}
}

func (m *memory) ViewAccounts(ctx context.Context, f func(Reader) error) error {
	return m.UpdateAccounts(ctx, func(tx Tx) error { return f(tx) })
}

func (m *memory) UpdateAccounts(ctx context.Context, f func(Tx) error) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.err != nil {
		return m.err
	}
	accounts, throttles, tickets := maps.Clone(m.accounts), maps.Clone(m.throttles), maps.Clone(m.tickets)
	err := f(memoryTx{m})
	if err != nil {
		m.accounts, m.throttles, m.tickets = accounts, throttles, tickets
	}
	return err
}

func (m *memory) AccountsTx(issuer.Tx) Tx { return memoryTx{m} }

// confirm commits what a proof confirms.
func (m *memory) confirm(p issuer.Proof) error {
	return m.UpdateAccounts(context.Background(), func(Tx) error { return p.Confirm(nil) })
}

func (m *memory) advance(d time.Duration) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.now = m.now.Add(d)
}

// memoryTx is a memory that is locked.
type memoryTx struct{ *memory }

func (m memoryTx) Now() (time.Time, error) { return m.now, nil }

func (m memoryTx) AccountByName(name string) (Account, error) {
	if a, ok := m.accounts[name]; ok {
		return a, nil
	}
	return Account{}, issuer.ErrNotFound
}

func (m memoryTx) AccountOfSubject(subject string) (Account, error) {
	for _, a := range m.accounts {
		if a.Subject == subject {
			return a, nil
		}
	}
	return Account{}, issuer.ErrNotFound
}

func (m memoryTx) AccountByEmail(key string) (Account, error) {
	for _, a := range m.accounts {
		if a.Email.Verified && a.Email.Key == key {
			return a, nil
		}
	}
	return Account{}, issuer.ErrNotFound
}

func (m memoryTx) UpdateEmail(subject string, e Email) error {
	a, err := m.AccountOfSubject(subject)
	if err != nil {
		return err
	}
	if other, err := m.AccountByEmail(e.Key); err == nil && e.Verified && other.Subject != subject {
		return issuer.ErrTaken
	}
	a.Email = e
	m.accounts[a.Name] = a
	return nil
}

func (m memoryTx) Ticket(hash [32]byte) (Ticket, error) {
	if t, ok := m.tickets[hash]; ok {
		return t, nil
	}
	return Ticket{}, issuer.ErrNotFound
}

func (m memoryTx) Tickets(subject string, p Purpose, after []byte, limit int) ([]Ticket, error) {
	var found []Ticket
	for hash, t := range m.tickets {
		if t.Subject == subject && t.Purpose == p && bytes.Compare(hash[:], after) > 0 {
			found = append(found, t)
		}
	}
	slices.SortFunc(found, func(a, b Ticket) int { return bytes.Compare(a.Hash[:], b.Hash[:]) })
	return found[:min(limit, len(found))], nil
}

func (m memoryTx) InsertTicket(t Ticket) error {
	m.tickets[t.Hash] = t
	return nil
}

func (m memoryTx) DeleteTicket(hash [32]byte) error {
	if _, ok := m.tickets[hash]; !ok {
		return issuer.ErrNotFound
	}
	delete(m.tickets, hash)
	return nil
}

func (m memoryTx) DeleteTickets(subject string, p Purpose) error {
	maps.DeleteFunc(m.tickets, func(_ [32]byte, t Ticket) bool { return t.Subject == subject && t.Purpose == p })
	return nil
}

func (m memoryTx) SweepTickets(now time.Time, limit int) error {
	maps.DeleteFunc(m.tickets, func(_ [32]byte, t Ticket) bool { return t.Expires.Before(now) })
	return nil
}

func (m memoryTx) Throttle(slot int64) (Throttle, error) {
	if t, ok := m.throttles[slot]; ok {
		return t, nil
	}
	return Throttle{}, issuer.ErrNotFound
}

func (m memoryTx) InsertAccount(a Account) error {
	if _, ok := m.accounts[a.Name]; ok {
		return issuer.ErrTaken
	}
	m.accounts[a.Name] = a
	return nil
}

func (m memoryTx) UpdatePassword(subject, hash string) error {
	a, err := m.AccountOfSubject(subject)
	if err != nil {
		return err
	}
	a.PasswordHash = hash
	m.accounts[a.Name] = a
	return nil
}

func (m memoryTx) PutThrottle(t Throttle) error {
	m.throttles[t.Slot] = t
	return nil
}

func (m memoryTx) DeleteThrottle(slot int64) error {
	delete(m.throttles, slot)
	return nil
}

func (m memoryTx) SweepThrottles(now time.Time, limit int) error {
	for slot, t := range m.throttles {
		if limit > 0 && t.empty(now) {
			delete(m.throttles, slot)
			limit--
		}
	}
	return nil
}

// testIssuer is an Issuer with a key that everybody knows. It stores its subjects nowhere but in the memory.
type testIssuer struct {
	Issuer
	store Store
}

func (testIssuer) MAC(purpose string, message []byte) (byte, []byte) {
	mac := hmac.New(sha256.New, []byte(purpose))
	mac.Write(message)
	return 1, mac.Sum(nil)
}

func (i testIssuer) CheckMAC(purpose string, message []byte, version byte, mac []byte) bool {
	_, want := i.MAC(purpose, message)
	return version == 1 && hmac.Equal(mac, want)
}

func (i testIssuer) Enrol(ctx context.Context, s issuer.Subject, with func(issuer.Tx) error) error {
	return i.store.UpdateAccounts(ctx, func(tx Tx) error {
		if m, ok := tx.(memoryTx); ok {
			m.subjects[s.ID] = s
		}
		return with(nil)
	})
}

func (testIssuer) URL() string { return "https://auth.example.com" }

func (i testIssuer) Amend(ctx context.Context, _ string, _ issuer.EventKind, with func(issuer.Tx) error) error {
	return i.store.UpdateAccounts(ctx, func(Tx) error { return with(nil) })
}

func (i testIssuer) OutdateSubject(ctx context.Context, _, _ string, with func(issuer.Tx) error) error {
	return i.store.UpdateAccounts(ctx, func(Tx) error { return with(nil) })
}
