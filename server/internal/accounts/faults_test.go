package accounts

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// TestFaults: whichever statement of the database fails, whoever asked is told so, and nothing is done by halves.
// A fault is never an attempt that isn't counted, a factor that isn't asked for or a code that isn't used up.
func TestFaults(t *testing.T) {
	here := issuer.Device{Address: "192.0.2.1"}
	for name, begin := range map[string]func(h *faultyHall) func() error{
		"log in": func(h *faultyHall) func() error {
			return func() error { return h.confirm(h.LogIn(h.Context(), "ada", password, here)) }
		},
		"log in, known": func(h *faultyHall) func() error {
			known := issuer.Device{Token: h.renewDeviceToken("", h.subject)}
			return func() error { return h.confirm(h.LogIn(h.Context(), "ada", password, known)) }
		},
		"log in, imported": func(h *faultyHall) func() error {
			imported := h.accounts["ada"]
			imported.PasswordHash = foreignHashes["bcrypt 2a"]
			h.accounts["ada"] = imported
			return func() error { return h.confirm(h.LogIn(h.Context(), "ada", staple, here)) }
		},
		"log in, with a factor": func(h *faultyHall) func() error {
			h.enrol()
			return func() error {
				_, err := h.LogIn(h.Context(), "ada", password, here)
				if _, half := errors.AsType[*issuer.SecondFactorError](err); half {
					return nil
				}
				return err
			}
		},
		"one-time code": func(h *faultyHall) func() error {
			code := h.enrol()
			challenge := h.challenged()
			return func() error { return h.confirm(h.CompleteLogIn(h.Context(), challenge, code, here)) }
		},
		"new password": func(h *faultyHall) func() error {
			return func() error {
				return h.confirm(h.ChangePassword(h.Context(), h.subject, password, fresh, false, here))
			}
		},
		"reset by an administrator": func(h *faultyHall) func() error {
			return func() error { return h.ResetPassword(h.Context(), h.subject, fresh) }
		},
		"reset by a letter": func(h *faultyHall) func() error {
			code, err := h.issueReset(h.Context(), h.accounts["ada"])
			if err != nil {
				h.Fatal(err)
			}
			return func() error { return h.CompleteReset(h.Context(), code, fresh) }
		},
		"enrolment": func(h *faultyHall) func() error {
			return func() error {
				_, _, err := h.EnrolTOTP(h.Context(), h.subject, password, here)
				return err
			}
		},
		"recovery codes": func(h *faultyHall) func() error {
			h.enrol()
			return func() error {
				_, err := h.RenewRecoveryCodes(h.Context(), h.subject, password, here)
				return err
			}
		},
		"sign-up": func(h *faultyHall) func() error {
			return func() error {
				_, err := h.SignUp(h.Context(), issuer.Enrolment{Name: "bob", Password: password}, here)
				return err
			}
		},
		"user code": func(h *faultyHall) func() error {
			return func() error {
				err := h.GuessUserCode(h.Context(), h.subject, here, func() error { return issuer.ErrUserCode })
				if errors.Is(err, issuer.ErrUserCode) {
					return nil
				}
				return err
			}
		},
		"device": func(h *faultyHall) func() error {
			return func() error { return h.AdmitDevice(h.Context(), here.Address) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			for n, broke := 1, true; broke; n++ {
				h := newFaultyHall(t)
				try, before := begin(h), h.state()
				h.left = n
				err := try()
				if broke = h.left == 0; !broke {
					if h.left = 0; err != nil || n == 1 {
						t.Errorf("without a fault, after %d statements: %v", n-1, err)
					}
				} else if !errors.Is(err, errDisk) || !reflect.DeepEqual(h.state(), before) {
					t.Errorf("statement %d failed: %v, and left %v", n, err, h.state())
				}
			}
		})
	}
}

// faultyHall has an account, ada, in a store of which a statement fails.
type faultyHall struct {
	*testing.T
	*Accounts
	*faulty
	subject string
}

func newFaultyHall(t *testing.T) *faultyHall {
	t.Helper()
	h := &faultyHall{T: t, faulty: &faulty{memory: newMemory()}}
	h.Accounts, _ = counted(t, h.faulty, Config{})
	subject, err := h.Add(t.Context(), "ada", password)
	if err != nil {
		t.Fatal(err)
	}
	h.subject = subject
	email, _ := parseEmail("ada@example.com")
	email.Verified = true
	if err := (memoryTx{h.memory}).UpdateEmail(subject, email); err != nil {
		t.Fatal(err)
	}
	return h
}

// enrol gives ada one-time codes, and answers the one of now.
func (h *faultyHall) enrol() (code string) {
	secret := newTOTPSecret()
	h.totps[h.subject] = TOTP{Subject: h.subject, Sealed: h.issuer.SealSecret(TOTPSecret, h.subject, secret), Confirmed: true}
	return totpCode(secret, h.now.Unix()/totpPeriod)
}

// challenged knows ada's password.
func (h *faultyHall) challenged() string {
	_, err := h.LogIn(h.Context(), "ada", password, issuer.Device{})
	half, ok := errors.AsType[*issuer.SecondFactorError](err)
	if !ok {
		h.Fatal(err)
	}
	return half.Challenge
}

// confirm commits what a proof confirms.
func (h *faultyHall) confirm(p issuer.Proof, err error) error {
	if err != nil {
		return err
	}
	return h.memory.confirm(p)
}

var errDisk = errors.New("the disk is on fire")

// faulty is a memory of which one statement fails.
type faulty struct {
	*memory
	left int // statements up to the one that fails; 0: none does
}

func (f *faulty) fault() error {
	if f.left == 0 {
		return nil
	}
	if f.left--; f.left > 0 {
		return nil
	}
	return errDisk
}

// state is what a fault must leave as it is. Attempts aren't of it: one that a fault ended may stay counted.
func (f *faulty) state() any {
	return []any{maps.Clone(f.accounts), maps.Clone(f.tickets), maps.Clone(f.totps), maps.Clone(f.recovery)}
}

func (f *faulty) ViewAccounts(ctx context.Context, do func(Reader) error) error {
	return f.UpdateAccounts(ctx, func(tx Tx) error { return do(tx) })
}

func (f *faulty) UpdateAccounts(ctx context.Context, do func(Tx) error) error {
	return f.memory.UpdateAccounts(ctx, func(tx Tx) error { return do(faultyTx{tx, f}) })
}

func (f *faulty) AccountsTx(t issuer.Tx) Tx { return faultyTx{f.memory.AccountsTx(t), f} }

// faultyTx has the statements of what TestFaults tries.
type faultyTx struct {
	Tx
	store *faulty
}

func (t faultyTx) Now() (time.Time, error) {
	now, err := t.Tx.Now()
	return now, cmp.Or(t.store.fault(), err)
}

// finding is a statement that finds something under a key.
func finding[K, V any](t faultyTx, find func(K) (V, error), key K) (found V, err error) {
	if err := t.store.fault(); err != nil {
		return found, err
	}
	return find(key)
}

func (t faultyTx) AccountByName(name string) (Account, error) {
	return finding(t, t.Tx.AccountByName, name)
}

func (t faultyTx) AccountOfSubject(subject string) (Account, error) {
	return finding(t, t.Tx.AccountOfSubject, subject)
}

func (t faultyTx) Throttle(slot int64) (Throttle, error) { return finding(t, t.Tx.Throttle, slot) }
func (t faultyTx) Ticket(hash [32]byte) (Ticket, error)  { return finding(t, t.Tx.Ticket, hash) }
func (t faultyTx) TOTP(subject string) (TOTP, error)     { return finding(t, t.Tx.TOTP, subject) }
func (t faultyTx) RecoveryHashes(s string) ([][32]byte, error) {
	return finding(t, t.Tx.RecoveryHashes, s)
}
func (t faultyTx) Passkeys(s string) ([]issuer.Passkey, error) { return finding(t, t.Tx.Passkeys, s) }

func (t faultyTx) InsertAccount(a Account) error {
	return cmp.Or(t.store.fault(), t.Tx.InsertAccount(a))
}
func (t faultyTx) InsertTicket(k Ticket) error { return cmp.Or(t.store.fault(), t.Tx.InsertTicket(k)) }
func (t faultyTx) DeleteTicket(hash [32]byte) error {
	return cmp.Or(t.store.fault(), t.Tx.DeleteTicket(hash))
}
func (t faultyTx) PutTOTP(f TOTP) error         { return cmp.Or(t.store.fault(), t.Tx.PutTOTP(f)) }
func (t faultyTx) DeleteTOTP(s string) error    { return cmp.Or(t.store.fault(), t.Tx.DeleteTOTP(s)) }
func (t faultyTx) PutThrottle(h Throttle) error { return cmp.Or(t.store.fault(), t.Tx.PutThrottle(h)) }
func (t faultyTx) DeleteThrottle(n int64) error {
	return cmp.Or(t.store.fault(), t.Tx.DeleteThrottle(n))
}

func (t faultyTx) DeleteTickets(subject string, p Purpose) error {
	return cmp.Or(t.store.fault(), t.Tx.DeleteTickets(subject, p))
}

func (t faultyTx) SweepTickets(now time.Time, limit int) error {
	return cmp.Or(t.store.fault(), t.Tx.SweepTickets(now, limit))
}

func (t faultyTx) UpdatePassword(subject, hash string) error {
	return cmp.Or(t.store.fault(), t.Tx.UpdatePassword(subject, hash))
}

func (t faultyTx) SpendTOTP(subject string, step int64) error {
	return cmp.Or(t.store.fault(), t.Tx.SpendTOTP(subject, step))
}

func (t faultyTx) InsertRecoveryCode(subject string, hash [32]byte) error {
	return cmp.Or(t.store.fault(), t.Tx.InsertRecoveryCode(subject, hash))
}

func (t faultyTx) DeleteRecoveryCodes(subject string) error {
	return cmp.Or(t.store.fault(), t.Tx.DeleteRecoveryCodes(subject))
}
