package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// shelf has stored so many events, and fails after so many reads of them; 0 never.
type shelf struct {
	events, failAfter, reads int
}

var errShelf = errors.New("the shelf broke")

func (s *shelf) Now(context.Context) (time.Time, error) { return time.Unix(1, 0).UTC(), nil }

func (s *shelf) Subject(_ context.Context, sub string) (issuer.Subject, error) {
	if sub != "ada" {
		return issuer.Subject{}, issuer.ErrNotFound
	}
	return issuer.Subject{ID: sub, Claims: json.RawMessage(`{}`)}, nil
}

func (s *shelf) Sessions(_ context.Context, f issuer.SessionFilter, p issuer.Page) ([]issuer.Session, string, error) {
	if f.Subject != "ada" || p.Limit < 1 {
		return nil, "", errShelf // others' as well, or too many at once
	}
	if p.After == "" {
		return []issuer.Session{{ID: "one"}, {ID: "two"}}, "next", nil
	}
	return []issuer.Session{{ID: "three"}}, "", nil
}

func (s *shelf) Events(_ context.Context, f issuer.EventFilter, after uint64, limit int) ([]issuer.Event, error) {
	if s.reads++; s.reads == s.failAfter || f.Subject != "ada" {
		return nil, errShelf
	}
	var page []issuer.Event
	for id := int(after) + 1; id <= s.events && len(page) < limit; id++ {
		actor := []string{"root", "", "ada"}[id%3]
		page = append(page, issuer.Event{ID: uint64(id), Actor: actor, Address: "from " + actor, UserAgent: "of " + actor})
	}
	return page, nil
}

func (s *shelf) Allowances(context.Context, string) ([]issuer.Allowance, error) {
	return []issuer.Allowance{{Consent: issuer.Consent{ClientID: "app"}}}, nil
}

func (s *shelf) StoredAccount(context.Context, string) (issuer.StoredAccount, error) {
	return issuer.StoredAccount{}, issuer.ErrNotFound
}

func dossierOf(s *shelf, sub string) (answer *httptest.ResponseRecorder, err error) {
	answer = httptest.NewRecorder()
	return answer, WriteDossier(answer, httptest.NewRequest("GET", "/", nil), "https://auth.example.com", sub, s, s)
}

// TestDossier is one JSON object, however many batches its lists have, for nobody to keep but who asked; and doesn't
// tell from where an administrator acted.
func TestDossier(t *testing.T) {
	for _, events := range []int{0, 1, dossierBatch, dossierBatch + 1} {
		answer, err := dossierOf(&shelf{events: events}, "ada")
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Issuer   string
			Exported time.Time
			Account  *struct{}
			Consents []struct {
				Client string `json:"client_id"`
			}
			Sessions []struct{ Sid string }
			Events   []struct {
				ID             int
				Actor, Address string
				UserAgent      string `json:"user_agent"`
			}
		}
		if err := json.Unmarshal(answer.Body.Bytes(), &got); err != nil || len(got.Sessions) != 3 || len(got.Events) != events || got.Account != nil ||
			got.Issuer != "https://auth.example.com" || !got.Exported.Equal(time.Unix(1, 0)) || len(got.Consents) != 1 || got.Consents[0].Client != "app" {
			t.Errorf("%d events: %v, %.300s", events, err, answer.Body)
		}
		for _, e := range got.Events {
			if theirs := e.Actor != "root"; theirs && (e.Address != "from "+e.Actor || e.UserAgent != "of "+e.Actor) || !theirs && e.Address+e.UserAgent != "" {
				t.Errorf("event %+v", e)
			}
		}
		for name, want := range map[string]string{
			"Cache-Control": "no-store", "Content-Type": "application/json", "X-Content-Type-Options": "nosniff", "Content-Disposition": `attachment; filename="export.json"`,
		} {
			if got := answer.Header().Get(name); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	}
}

// TestDossierCutShort: what fails before the answer began is an error, and what fails later cuts the connection.
func TestDossierCutShort(t *testing.T) {
	if answer, err := dossierOf(&shelf{}, "nobody"); !errors.Is(err, issuer.ErrNotFound) || answer.Body.Len() != 0 {
		t.Errorf("%v, %s", err, answer.Body)
	}
	defer func() {
		if recovered := recover(); recovered != http.ErrAbortHandler {
			t.Errorf("it ended with %v", recovered)
		}
	}()
	_, err := dossierOf(&shelf{events: dossierBatch, failAfter: 2}, "ada")
	t.Errorf("it ended with error %v", err)
}
