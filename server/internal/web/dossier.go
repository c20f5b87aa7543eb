package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

const (
	dossierBatch   = 200
	dossierTimeout = 30 * time.Second // of a batch, as long as a whole answer has elsewhere
)

// Stored is what an issuer has stored about subjects.
type Stored interface {
	Now(ctx context.Context) (time.Time, error)
	Subject(ctx context.Context, sub string) (issuer.Subject, error)
	Sessions(ctx context.Context, f issuer.SessionFilter, p issuer.Page) (sessions []issuer.Session, next string, err error)
	Events(ctx context.Context, f issuer.EventFilter, after uint64, limit int) ([]issuer.Event, error)
	Allowances
}

// StoredAccounts is what is stored about accounts.
type StoredAccounts interface {
	StoredAccount(ctx context.Context, sub string) (issuer.StoredAccount, error)
}

// dossierHead is what stands before the lists.
type dossierHead struct {
	Issuer   string         `json:"issuer"`
	Exported time.Time      `json:"exported"`
	Subject  SubjectRecord  `json:"subject"`
	Account  *AccountRecord `json:"account,omitempty"`
	ConsentsAnswer
}

// WriteDossier answers all that is stored on a person: one JSON object, of which the sessions, newest first, and the
// events, oldest first, are sent in batches. It fails before it has written anything; what goes wrong afterwards cuts
// the connection, so that nobody takes a part for all.
func WriteDossier(w http.ResponseWriter, r *http.Request, url, sub string, s Stored, a StoredAccounts) error {
	head, err := readHead(r.Context(), url, sub, s, a)
	if err != nil {
		return err
	}
	text, err := json.Marshal(head)
	if err != nil {
		return err
	}
	NoStore(w)
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Disposition", `attachment; filename="export.json"`)
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(http.StatusOK)
	d := dossier{ctx: r.Context(), w: w, sub: sub, since: head.Subject.Created, stored: s}
	d.write(text[:len(text)-1])
	d.sessions()
	d.events()
	d.write([]byte("}\n"))
	if d.err != nil {
		LogFault(r, http.StatusInternalServerError, d.err)
		panic(http.ErrAbortHandler)
	}
	return nil
}

func readHead(ctx context.Context, url, sub string, s Stored, a StoredAccounts) (dossierHead, error) {
	subject, err := s.Subject(ctx, sub)
	if err != nil {
		return dossierHead{}, err
	}
	now, err := s.Now(ctx)
	if err != nil {
		return dossierHead{}, err
	}
	head := dossierHead{Issuer: url, Exported: now, Subject: NewSubjectRecord(subject)}
	if head.ConsentsAnswer, err = ReadConsents(ctx, s, sub); err != nil {
		return dossierHead{}, err
	}
	account, err := a.StoredAccount(ctx, sub)
	if errors.Is(err, issuer.ErrNotFound) {
		return head, nil
	}
	head.Account = newAccountRecord(account)
	return head, err
}

// dossier is an export that is being sent. It has nothing of others: not of whoever bore the person's ID before, nor
// from where an administrator acted.
type dossier struct {
	ctx     context.Context
	w       http.ResponseWriter
	sub     string
	since   time.Time
	stored  Stored
	written int // elements of the present list
	err     error
}

func (d *dossier) write(text []byte) {
	if d.err == nil {
		_, d.err = d.w.Write(text)
	}
}

func (d *dossier) begin(list string) {
	d.write([]byte(`,"` + list + `":[`))
	d.written = 0
}

func (d *dossier) add(record any) {
	if d.written++; d.written > 1 {
		d.write([]byte(","))
	}
	text, err := json.Marshal(record)
	d.err = errors.Join(d.err, err)
	d.write(text)
}

func (d *dossier) sessions() {
	d.begin("sessions")
	for page := (issuer.Page{Limit: dossierBatch}); d.err == nil; {
		GiveTime(d.w, dossierTimeout)
		found, next, err := d.stored.Sessions(d.ctx, issuer.SessionFilter{Subject: d.sub}, page)
		if err != nil {
			d.err = err
			return
		}
		for _, s := range found {
			if !s.Created.Before(d.since) {
				d.add(NewSessionRecord(s))
			}
		}
		if page.After = next; next == "" {
			break
		}
	}
	d.write([]byte("]"))
}

func (d *dossier) events() {
	d.begin("events")
	for after := uint64(0); d.err == nil; {
		GiveTime(d.w, dossierTimeout)
		found, err := d.stored.Events(d.ctx, issuer.EventFilter{Subject: d.sub, Since: d.since}, after, dossierBatch)
		if err != nil {
			d.err = err
			return
		}
		for _, e := range found {
			if after = e.ID; e.Actor != "" && e.Actor != d.sub {
				e.Address, e.UserAgent = "", ""
			}
			d.add(NewEventRecord(e))
		}
		if len(found) < dossierBatch {
			break
		}
	}
	d.write([]byte("]"))
}
