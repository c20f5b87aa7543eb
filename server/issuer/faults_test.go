package issuer_test

import (
	"cmp"
	"context"
	"errors"
	"testing"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
)

// TestFaults: whichever statement of the database fails, whoever asked is told so, and asks again with success. A fault
// is never a decision, such as that nobody has consented or that a session hasn't ended.
func TestFaults(t *testing.T) {
	for name, begin := range map[string]func(f *fixture) func(ctx context.Context) error{
		"the device that waits": func(f *fixture) func(ctx context.Context) error {
			secret := f.signIn()
			device, _ := f.ask(secret)
			return func(ctx context.Context) error {
				ask, err := f.FindDevice(ctx, secret, device.UserCode)
				if err == nil && ask.Subject != "ann" {
					return errors.New("nobody is asked")
				}
				return err
			}
		},
		"the answer to a device": func(f *fixture) func(ctx context.Context) error {
			secret := f.signIn()
			_, ask := f.ask(secret)
			return func(ctx context.Context) error {
				return f.AnswerDevice(ctx, secret, issuer.DeviceAnswer{Code: ask.Code, Subject: ask.Subject, Scope: ask.Scope, Allow: true})
			}
		},
		"the tokens of a device": func(f *fixture) func(ctx context.Context) error {
			secret := f.signIn()
			device, ask := f.ask(secret)
			f.do(f.allow(secret, ask))
			return func(ctx context.Context) error {
				_, err := f.RedeemDevice(ctx, issuer.DeviceGrant{DeviceCode: device.DeviceCode, ClientID: "client_web"})
				return err
			}
		},
		"a device that is early": func(f *fixture) func(ctx context.Context) error {
			device, _ := f.ask(f.signIn())
			return func(ctx context.Context) error {
				_, err := f.RedeemDevice(ctx, issuer.DeviceGrant{DeviceCode: device.DeviceCode, ClientID: "client_web"})
				if errors.Is(err, issuer.ErrAuthorizationPending) || errors.Is(err, issuer.ErrSlowDown) {
					return nil
				}
				return err
			}
		},
		"introspection": func(f *fixture) func(ctx context.Context) error {
			client, err := f.Client(f.Context(), "client_api")
			f.do(err)
			tokens := f.issue(issuer.Grant{Subject: "ann", ClientID: "client_api"})
			return func(ctx context.Context) error {
				_, err := f.Introspect(ctx, tokens.Refresh, client)
				return err
			}
		},
		"consent": func(f *fixture) func(ctx context.Context) error {
			if err := f.WithdrawConsent(f.Context(), "ann", "client_app"); !errors.Is(err, issuer.ErrNotFound) {
				f.do(err)
			}
			secret := f.signIn()
			_, request, _ := browsing()
			request.ClientID, request.Scope = "client_app", []string{"pets:read"}
			asked, err := f.Authorize(f.Context(), request, secret, issuer.Shown{})
			f.do(err)
			return func(ctx context.Context) error {
				given, err := f.Authorize(ctx, request, secret, asked.Shown())
				if err == nil && given.Step != issuer.StepAnswer {
					return errors.New("no code")
				}
				return err
			}
		},
		"what was allowed": func(f *fixture) func(ctx context.Context) error {
			f.do(f.store.Update(f.Context(), func(tx issuer.Tx) error {
				return tx.PutConsent(issuer.Consent{Subject: "ann", ClientID: "client_app", Resource: "petstore", Scope: []string{"pets:read"}, Given: f.clock.Now()})
			}))
			return func(ctx context.Context) error {
				_, err := f.Allowances(ctx, "ann")
				return err
			}
		},
		"a consent that is withdrawn": func(f *fixture) func(ctx context.Context) error {
			f.issue(issuer.Grant{Subject: "ann", ClientID: "client_app"})
			return func(ctx context.Context) error { return f.WithdrawConsent(ctx, "ann", "client_app") }
		},
		"a logout": func(f *fixture) func(ctx context.Context) error {
			secret := f.signIn()
			return func(ctx context.Context) error { return f.LogOut(ctx, issuer.LogoutDecision{}, secret) }
		},
		"lists": func(f *fixture) func(ctx context.Context) error {
			f.issue(issuer.Grant{Subject: "ann", ClientID: "client_web"})
			return func(ctx context.Context) error {
				_, err1 := f.ListClients(ctx, issuer.ClientFilter{}, "", 10)
				_, err2 := f.ListResources(ctx, issuer.ResourceFilter{}, "", 10)
				_, _, err3 := f.Sessions(ctx, issuer.SessionFilter{Live: true}, issuer.Page{})
				_, _, err4 := f.Subjects(ctx, issuer.SubjectFilter{}, issuer.Page{})
				_, _, err5 := f.ListKeys(ctx, issuer.KeyFilter{}, issuer.Page{})
				_, err6 := f.SubjectsByID(ctx, []string{"ann"})
				return errors.Join(err1, err2, err3, err4, err5, err6)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := browsing()
			_, hash := issuer.NewClientSecret()
			c.Clients = append(c.Clients, issuer.Client{ID: "client_app", Scopes: []string{"pets:read"}, RedirectURIs: []string{callback}},
				issuer.Client{ID: "client_api", Scopes: []string{"pets:read"}, SecretHash: hash})
			f := newFixture(t, c)
			over, err := issuer.New(t.Context(), faulty{f.store}, f.config)
			f.do(err)
			defer over.Close()
			f.Issuer = over
			for n, broke := 1, true; broke; n++ {
				try, left := begin(f), n
				err := try(context.WithValue(t.Context(), faultKey{}, &left))
				if broke = left == 0; !broke {
					if err != nil || n == 1 {
						t.Errorf("without a fault, after %d statements: %v", n-1, err)
					}
					break
				}
				if !errors.Is(err, errDisk) {
					t.Errorf("statement %d failed: %v", n, err)
				}
				if err := try(t.Context()); err != nil {
					t.Errorf("after statement %d failed: %v", n, err)
				}
			}
		})
	}
}

var errDisk = errors.New("the disk is on fire")

type faultKey struct{}

// faulty is a store of which one statement fails of whoever has a count of statements in the context.
type faulty struct{ issuer.Store }

func (s faulty) View(ctx context.Context, f func(issuer.Reader) error) error {
	begin := faults(ctx)
	return s.Store.View(ctx, func(r issuer.Reader) error { return f(faultyReader{r, begin()}) })
}

func (s faulty) Update(ctx context.Context, f func(issuer.Tx) error) error {
	begin := faults(ctx)
	return s.Store.Update(ctx, func(tx issuer.Tx) error { return f(faultyTx{tx, faultyReader{tx, begin()}}) })
}

// countdown is the statements up to the one that fails; nil: none does.
type countdown struct{ left *int }

// faults begins a transaction, which may run again: then the same statement fails.
func faults(ctx context.Context) (begin func() countdown) {
	left, _ := ctx.Value(faultKey{}).(*int)
	if left == nil {
		return func() countdown { return countdown{} }
	}
	first := *left
	return func() countdown {
		*left = first
		return countdown{left}
	}
}

func (c countdown) fault() error {
	if c.left == nil || *c.left == 0 {
		return nil
	}
	if *c.left--; *c.left > 0 {
		return nil
	}
	return errDisk
}

// after is what a statement found, or a fault.
func after[T any](c countdown) func(T, error) (T, error) {
	return func(found T, err error) (T, error) {
		if fault := c.fault(); fault != nil {
			return *new(T), fault
		}
		return found, err
	}
}

// faultyReader has the statements of what TestFaults tries, and faultyTx those that write.
type faultyReader struct {
	issuer.Reader
	countdown
}

func (r faultyReader) Now() (time.Time, error) { return after[time.Time](r.countdown)(r.Reader.Now()) }

func (r faultyReader) Subject(id string) (issuer.Subject, error) {
	return after[issuer.Subject](r.countdown)(r.Reader.Subject(id))
}

func (r faultyReader) Subjects(f issuer.SubjectFilter, p issuer.Position, n int) ([]issuer.Subject, error) {
	return after[[]issuer.Subject](r.countdown)(r.Reader.Subjects(f, p, n))
}

func (r faultyReader) Session(id string) (issuer.Session, issuer.Subject, error) {
	session, subject, err := r.Reader.Session(id)
	return session, subject, cmp.Or(r.fault(), err)
}

func (r faultyReader) Sessions(f issuer.SessionFilter, live time.Time, p issuer.Position, n int) ([]issuer.Session, error) {
	return after[[]issuer.Session](r.countdown)(r.Reader.Sessions(f, live, p, n))
}

func (r faultyReader) Clients(from string, n int) ([]issuer.Client, error) {
	return after[[]issuer.Client](r.countdown)(r.Reader.Clients(from, n))
}

func (r faultyReader) Resources(from string, n int) ([]issuer.Resource, error) {
	return after[[]issuer.Resource](r.countdown)(r.Reader.Resources(from, n))
}

func (r faultyReader) Keys() ([]issuer.Key, error) {
	return after[[]issuer.Key](r.countdown)(r.Reader.Keys())
}

func (r faultyReader) SignIn(hash string) (issuer.SignIn, error) {
	return after[issuer.SignIn](r.countdown)(r.Reader.SignIn(hash))
}

func (r faultyReader) SignInByHash(hash string) (issuer.SignIn, issuer.Subject, error) {
	s, subject, err := r.Reader.SignInByHash(hash)
	return s, subject, cmp.Or(r.fault(), err)
}

func (r faultyReader) Consent(subject, client, resource string) (issuer.Consent, error) {
	return after[issuer.Consent](r.countdown)(r.Reader.Consent(subject, client, resource))
}

func (r faultyReader) Consents(subject string) ([]issuer.Consent, error) {
	return after[[]issuer.Consent](r.countdown)(r.Reader.Consents(subject))
}

func (r faultyReader) DeviceCode(hash string) (issuer.DeviceCode, error) {
	return after[issuer.DeviceCode](r.countdown)(r.Reader.DeviceCode(hash))
}

func (r faultyReader) DeviceCodeByUser(hash string) (issuer.DeviceCode, error) {
	return after[issuer.DeviceCode](r.countdown)(r.Reader.DeviceCodeByUser(hash))
}

func (r faultyReader) LogHead() (revocation.Head, error) {
	return after[revocation.Head](r.countdown)(r.Reader.LogHead())
}

type faultyTx struct {
	issuer.Tx
	reads faultyReader
}

func (t faultyTx) Now() (time.Time, error) { return t.reads.Now() }

func (t faultyTx) Subject(id string) (issuer.Subject, error) { return t.reads.Subject(id) }

func (t faultyTx) SignIn(hash string) (issuer.SignIn, error) { return t.reads.SignIn(hash) }

func (t faultyTx) Consent(subject, client, resource string) (issuer.Consent, error) {
	return t.reads.Consent(subject, client, resource)
}

func (t faultyTx) DeviceCode(hash string) (issuer.DeviceCode, error) { return t.reads.DeviceCode(hash) }

func (t faultyTx) LogHead() (revocation.Head, error) { return t.reads.LogHead() }

func (t faultyTx) Session(id string) (issuer.Session, issuer.Subject, error) {
	return t.reads.Session(id)
}

func (t faultyTx) SignInByHash(hash string) (issuer.SignIn, issuer.Subject, error) {
	return t.reads.SignInByHash(hash)
}

func (t faultyTx) Sessions(f issuer.SessionFilter, live time.Time, p issuer.Position, n int) ([]issuer.Session, error) {
	return t.reads.Sessions(f, live, p, n)
}

func (t faultyTx) InsertSession(s issuer.Session) error {
	return cmp.Or(t.reads.fault(), t.Tx.InsertSession(s))
}

func (t faultyTx) UpdateSession(s issuer.Session) error {
	return cmp.Or(t.reads.fault(), t.Tx.UpdateSession(s))
}

func (t faultyTx) UpdateSignIn(s issuer.SignIn) error {
	return cmp.Or(t.reads.fault(), t.Tx.UpdateSignIn(s))
}

func (t faultyTx) DeleteSignIn(id string) error {
	return cmp.Or(t.reads.fault(), t.Tx.DeleteSignIn(id))
}

func (t faultyTx) InsertCode(c issuer.Code) error { return cmp.Or(t.reads.fault(), t.Tx.InsertCode(c)) }

func (t faultyTx) PutConsent(c issuer.Consent) error {
	return cmp.Or(t.reads.fault(), t.Tx.PutConsent(c))
}

func (t faultyTx) UpdateDeviceCode(c issuer.DeviceCode) error {
	return cmp.Or(t.reads.fault(), t.Tx.UpdateDeviceCode(c))
}

func (t faultyTx) DeleteDeviceCode(hash string) error {
	return cmp.Or(t.reads.fault(), t.Tx.DeleteDeviceCode(hash))
}

func (t faultyTx) InsertEvent(e issuer.Event) error {
	return cmp.Or(t.reads.fault(), t.Tx.InsertEvent(e))
}

func (t faultyTx) AppendRule(e issuer.LogEntry) error {
	return cmp.Or(t.reads.fault(), t.Tx.AppendRule(e))
}

func (t faultyTx) PutLogHead(h revocation.Head) error {
	return cmp.Or(t.reads.fault(), t.Tx.PutLogHead(h))
}

func (t faultyTx) DeleteConsentsTo(subject, client string) (int, error) {
	return after[int](t.reads.countdown)(t.Tx.DeleteConsentsTo(subject, client))
}

func (t faultyTx) DeleteDeviceCodesTo(subject, client string) (int, error) {
	return after[int](t.reads.countdown)(t.Tx.DeleteDeviceCodesTo(subject, client))
}
