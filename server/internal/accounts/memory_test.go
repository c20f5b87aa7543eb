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
	totps     map[string]TOTP
	recovery  map[[32]byte]string // subjects by hash
	passkeys  map[string]issuer.Passkey
	now       time.Time // of the database
	err       error     // answered by every method when set
}

func newMemory() *memory {
	return &memory{
		accounts: map[string]Account{}, subjects: map[string]issuer.Subject{}, throttles: map[int64]Throttle{}, tickets: map[[32]byte]Ticket{},
		totps: map[string]TOTP{}, recovery: map[[32]byte]string{}, passkeys: map[string]issuer.Passkey{},
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
	totps, recovery, passkeys := maps.Clone(m.totps), maps.Clone(m.recovery), maps.Clone(m.passkeys)
	err := f(memoryTx{m})
	if err != nil {
		m.totps, m.recovery, m.passkeys = totps, recovery, passkeys
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
	if _, ok := m.tickets[t.Hash]; ok {
		return issuer.ErrTaken
	}
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

func (m memoryTx) TOTP(subject string) (TOTP, error) {
	if f, ok := m.totps[subject]; ok {
		return f, nil
	}
	return TOTP{}, issuer.ErrNotFound
}

func (m memoryTx) TOTPs(after string, limit int) (found []TOTP, err error) {
	for _, subject := range slices.Sorted(maps.Keys(m.totps)) {
		if subject > after && len(found) < limit {
			found = append(found, m.totps[subject])
		}
	}
	return found, nil
}

func (m memoryTx) RecoveryHashes(subject string) (left [][32]byte, err error) {
	for hash, owner := range m.recovery {
		if owner == subject {
			left = append(left, hash)
		}
	}
	return left, nil
}

func (m memoryTx) PutTOTP(f TOTP) error {
	m.totps[f.Subject] = f
	return nil
}

func (m memoryTx) SpendTOTP(subject string, step int64) error {
	f, ok := m.totps[subject]
	if !ok || f.Step >= step {
		return issuer.ErrNotFound
	}
	f.Step = step
	m.totps[subject] = f
	return nil
}

func (m memoryTx) ResealTOTP(read TOTP, sealed []byte) error {
	if f, ok := m.totps[read.Subject]; ok && bytes.Equal(f.Sealed, read.Sealed) {
		f.Sealed = sealed
		m.totps[read.Subject] = f
	}
	return nil
}

func (m memoryTx) InsertRecoveryCode(subject string, hash [32]byte) error {
	m.recovery[hash] = subject
	return nil
}

func (m memoryTx) SpendRecoveryCode(subject string, hash [32]byte) error {
	if m.recovery[hash] != subject {
		return issuer.ErrNotFound
	}
	delete(m.recovery, hash)
	return nil
}

func (m memoryTx) DeleteTOTP(subject string) error {
	if _, ok := m.totps[subject]; !ok {
		return issuer.ErrNotFound
	}
	delete(m.totps, subject)
	return nil
}

func (m memoryTx) DeleteRecoveryCodes(subject string) error {
	maps.DeleteFunc(m.recovery, func(_ [32]byte, owner string) bool { return owner == subject })
	return nil
}

func (m memoryTx) DeleteFactors(subject string) error {
	delete(m.totps, subject)
	maps.DeleteFunc(m.passkeys, func(_ string, p issuer.Passkey) bool { return p.Subject == subject })
	return m.DeleteRecoveryCodes(subject)
}

func (m memoryTx) Passkeys(subject string) (found []issuer.Passkey, err error) {
	all, err := m.PasskeyPage("", len(m.passkeys))
	for _, p := range all {
		if p.Subject == subject {
			found = append(found, p)
		}
	}
	slices.SortStableFunc(found, func(a, b issuer.Passkey) int { return a.Created.Compare(b.Created) })
	return found, err
}

func (m memoryTx) PasskeyPage(after string, limit int) (found []issuer.Passkey, err error) {
	for _, id := range slices.Sorted(maps.Keys(m.passkeys)) {
		if id > after && len(found) < limit {
			found = append(found, m.passkeys[id])
		}
	}
	return found, nil
}

func (m memoryTx) PasskeyOfCredential(credential []byte) (issuer.Passkey, error) {
	for _, p := range m.passkeys {
		if bytes.Equal(p.Credential, credential) {
			return p, nil
		}
	}
	return issuer.Passkey{}, issuer.ErrNotFound
}

func (m memoryTx) InsertPasskey(p issuer.Passkey) error {
	_, err := m.PasskeyOfCredential(p.Credential)
	if _, there := m.passkeys[p.ID]; there || err == nil {
		return issuer.ErrTaken
	}
	m.passkeys[p.ID] = p
	return nil
}

func (m memoryTx) UsePasskey(used issuer.Passkey) error {
	p, ok := m.passkeys[used.ID]
	if !ok || used.SignCount <= p.SignCount && used.SignCount+p.SignCount > 0 {
		return issuer.ErrNotFound
	}
	p.SignCount, p.BackedUp, p.LastUsed = used.SignCount, used.BackedUp, used.LastUsed
	m.passkeys[p.ID] = p
	return nil
}

func (m memoryTx) RenamePasskey(subject, id, name string) error {
	p, ok := m.passkeys[id]
	if !ok || p.Subject != subject {
		return issuer.ErrNotFound
	}
	p.Name = name
	m.passkeys[id] = p
	return nil
}

func (m memoryTx) DeletePasskey(subject, id string) error {
	if p, ok := m.passkeys[id]; !ok || p.Subject != subject {
		return issuer.ErrNotFound
	}
	delete(m.passkeys, id)
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

func (i testIssuer) AmendNoting(ctx context.Context, sub string, kind issuer.EventKind, _ string, with func(issuer.Tx) error) error {
	return i.Amend(ctx, sub, kind, with)
}

func (i testIssuer) OutdateSubject(ctx context.Context, _, _ string, with func(issuer.Tx) error) error {
	return i.store.UpdateAccounts(ctx, func(Tx) error { return with(nil) })
}

// SealSecret is no encryption: the memory is a test's own.
func (testIssuer) SealSecret(purpose, id string, secret []byte) []byte {
	return append([]byte(purpose+id), secret...)
}

func (testIssuer) OpenSecret(purpose, id string, sealed []byte) ([]byte, bool, error) {
	secret, ok := bytes.CutPrefix(sealed, []byte(purpose+id))
	if !ok {
		return nil, false, issuer.ErrNotFound
	}
	return secret, true, nil
}

func (i testIssuer) Confirm(ctx context.Context, p issuer.Proof) error {
	return i.store.UpdateAccounts(ctx, func(Tx) error { return p.Confirm(nil) })
}
