package admin

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Subjects is what this package needs of an *issuer.Issuer about subjects.
type Subjects interface {
	Subject(ctx context.Context, sub string) (issuer.Subject, error)
	Subjects(ctx context.Context, f issuer.SubjectFilter, p issuer.Page) (subjects []issuer.Subject, next string, err error)
	SubjectsByID(ctx context.Context, ids []string) ([]issuer.Subject, error)
	CreateSubject(ctx context.Context, s issuer.Subject) error
	ChangeSubject(ctx context.Context, sub string, change issuer.Change) error
	DeleteSubject(ctx context.Context, sub string) error
	EndSessions(ctx context.Context, sub string) error
}

// Accounts is what this package needs of an *accounts.Admin.
type Accounts interface {
	Create(ctx context.Context, e issuer.Enrolment, s issuer.Subject) (sub string, err error)
	SetPassword(ctx context.Context, sub, password string) error
	People(ctx context.Context, subjects []string) (map[string]issuer.Person, error)
	Search(ctx context.Context, prefix, after string, limit int) (names, subjects []string, err error)
	Bootstrap(ctx context.Context, code, name, password string) (sub string, err error)
	Invite(ctx context.Context, note string, ttl time.Duration) (i issuer.Invitation, code string, err error)
	Invitations(ctx context.Context, after string, limit int) ([]issuer.Invitation, error)
	Withdraw(ctx context.Context, id string) error
	Factors
	web.StoredAccounts
}

type subjectAnswer struct {
	Subject       string          `json:"sub"`
	Username      string          `json:"username,omitempty"` // of its account, if it has one, as its owner writes it
	Email         string          `json:"email,omitempty"`
	EmailVerified *bool           `json:"email_verified,omitempty"` // where there is an address
	Scope         string          `json:"scope"`
	Claims        json.RawMessage `json:"claims"`
	Disabled      bool            `json:"disabled"`
	Generation    uint64          `json:"generation"`
	Created       time.Time       `json:"created"`
}

func newSubjectAnswer(s issuer.Subject, p issuer.Person) subjectAnswer {
	answer := subjectAnswer{
		Subject: s.ID, Username: p.Name, Email: p.Email, Scope: strings.Join(s.Scope, " "), Claims: s.Claims, Disabled: s.Disabled,
		Generation: s.Generation, Created: s.Created,
	}
	if p.Email != "" {
		answer.EmailVerified = &p.EmailVerified
	}
	return answer
}

type subjectsAnswer struct {
	Subjects []subjectAnswer `json:"subjects"`
	Next     string          `json:"next,omitempty"`
}

// listSubjects answers a page of subjects, newest first; or, by the beginning of their account's name, in the order of
// the names.
func (a *API) listSubjects(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "username", "disabled")
	page, filter := q.page(), issuer.SubjectFilter{Disabled: q.flag("disabled")}
	if q.err != nil {
		return q.err
	}
	if prefix := q.text("username"); prefix != "" {
		return a.listByName(w, r, prefix, filter, page)
	}
	subjects, next, err := a.issuer.Subjects(r.Context(), filter, page)
	if err != nil {
		return err
	}
	ids := make([]string, len(subjects))
	for n, s := range subjects {
		ids[n] = s.ID
	}
	people, err := a.accounts.People(r.Context(), ids)
	if err != nil {
		return err
	}
	answer := subjectsAnswer{Subjects: []subjectAnswer{}, Next: next}
	for _, s := range subjects {
		answer.Subjects = append(answer.Subjects, newSubjectAnswer(s, people[s.ID]))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// listByName answers a page of the accounts that a prefix names. What the filter takes out leaves the page shorter.
func (a *API) listByName(w http.ResponseWriter, r *http.Request, prefix string, f issuer.SubjectFilter, page issuer.Page) error {
	after, err := parseCursor(page.After)
	if err != nil {
		return err
	}
	limit := pageSize(page)
	names, ids, err := a.accounts.Search(r.Context(), prefix, after, limit+1)
	if err != nil {
		return err
	}
	answer := subjectsAnswer{Subjects: []subjectAnswer{}}
	if len(names) > limit {
		names, ids = names[:limit], ids[:limit]
		answer.Next = cursor(names[limit-1])
	}
	subjects, err := a.issuer.SubjectsByID(r.Context(), ids)
	if err != nil {
		return err
	}
	people, err := a.accounts.People(r.Context(), ids)
	if err != nil {
		return err
	}
	for _, s := range subjects {
		if f.Disabled == nil || *f.Disabled == s.Disabled {
			answer.Subjects = append(answer.Subjects, newSubjectAnswer(s, people[s.ID]))
		}
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// showSubject answers one subject.
func (a *API) showSubject(w http.ResponseWriter, r *http.Request) error {
	return a.writeSubject(w, r, http.StatusOK, r.PathValue("sub"))
}

func (a *API) writeSubject(w http.ResponseWriter, r *http.Request, status int, sub string) error {
	subject, err := a.issuer.Subject(r.Context(), sub)
	if err != nil {
		return err
	}
	people, err := a.accounts.People(r.Context(), []string{sub})
	if err != nil {
		return err
	}
	web.WriteJSON(w, status, newSubjectAnswer(subject, people[sub]))
	return nil
}

type newSubjectRequest struct {
	Subject       string          `json:"sub"`      // "": a random one
	Username      string          `json:"username"` // with a password: an account
	Password      string          `json:"password"`
	PasswordHash  string          `json:"password_hash"` // of another system, instead of a password
	Email         string          `json:"email"`
	EmailVerified bool            `json:"email_verified"`
	Scope         string          `json:"scope"`
	Claims        json.RawMessage `json:"claims"`
	Disabled      bool            `json:"disabled"`
}

// account is what the request says of the subject's account.
func (r newSubjectRequest) account() issuer.Enrolment {
	return issuer.Enrolment{Name: r.Username, Password: r.Password, PasswordHash: r.PasswordHash, Email: r.Email, EmailVerified: r.EmailVerified}
}

// createSubject makes a subject, and an account for it where a name and a password come along.
func (a *API) createSubject(w http.ResponseWriter, r *http.Request) error {
	var req newSubjectRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	made, err := issuer.NewSubject(req.Claims, web.ParseScope(req.Scope))
	if err != nil {
		return err
	}
	if req.Subject != "" {
		made.ID = req.Subject
	}
	made.Disabled = req.Disabled
	if req.account() == (issuer.Enrolment{}) {
		err = a.issuer.CreateSubject(r.Context(), made)
	} else {
		_, err = a.accounts.Create(r.Context(), req.account(), made)
	}
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.base+"/admin/v1/subjects/"+url.PathEscape(made.ID))
	return a.writeSubject(w, r, http.StatusCreated, made.ID)
}

type changeSubjectRequest struct {
	Scope    *string         `json:"scope"`
	Claims   json.RawMessage `json:"claims"` // all of the new ones
	Disabled *bool           `json:"disabled"`
	Soft     bool            `json:"soft"` // tokens with the old claims stay good until they expire
}

// changeSubject changes what the request names, in one transaction; of two changes the later wins.
func (a *API) changeSubject(w http.ResponseWriter, r *http.Request) error {
	var req changeSubjectRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	change := issuer.Change{Claims: req.Claims, Disabled: req.Disabled, Soft: req.Soft}
	if req.Scope != nil {
		change.Scope = append([]string{}, web.ParseScope(*req.Scope)...) // an empty one takes all scope
	}
	if change.Claims == nil && change.Scope == nil && change.Disabled == nil {
		return nothingToChange
	}
	sub := r.PathValue("sub")
	if err := a.issuer.ChangeSubject(r.Context(), sub, change); err != nil {
		return err
	}
	return a.writeSubject(w, r, http.StatusOK, sub)
}

// deleteSubject deletes a subject with its account and its sessions.
func (a *API) deleteSubject(w http.ResponseWriter, r *http.Request) error {
	if err := a.issuer.DeleteSubject(r.Context(), r.PathValue("sub")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// logOutSubject ends all sessions of a subject.
func (a *API) logOutSubject(w http.ResponseWriter, r *http.Request) error {
	if err := a.issuer.EndSessions(r.Context(), r.PathValue("sub")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type passwordRequest struct {
	Password string `json:"password"`
}

// setPassword gives a subject's account a new password and ends its sessions.
func (a *API) setPassword(w http.ResponseWriter, r *http.Request) error {
	var req passwordRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	if err := a.accounts.SetPassword(r.Context(), r.PathValue("sub"), req.Password); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
