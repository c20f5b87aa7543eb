package admin

import (
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

type invitationAnswer struct {
	ID      string    `json:"invitation_id"`
	Code    string    `json:"code,omitempty"` // once, when it is made
	Note    string    `json:"note,omitempty"`
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

func newInvitationAnswer(i issuer.Invitation, code string) invitationAnswer {
	return invitationAnswer{ID: i.ID, Code: code, Note: i.Note, Created: i.Created, Expires: i.Expires}
}

type invitationsAnswer struct {
	Invitations []invitationAnswer `json:"invitations"`
	Next        string             `json:"next,omitempty"`
}

// listInvitations answers a page of the invitations that weren't used, in the order of their IDs.
func (a *API) listInvitations(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r)
	page := q.page()
	if q.err != nil {
		return q.err
	}
	limit := pageSize(page)
	found, err := a.accounts.Invitations(r.Context(), page.After, limit+1)
	if err != nil {
		return err
	}
	answer := invitationsAnswer{Invitations: []invitationAnswer{}}
	if len(found) > limit {
		found = found[:limit]
		answer.Next = found[limit-1].ID
	}
	for _, i := range found {
		answer.Invitations = append(answer.Invitations, newInvitationAnswer(i, ""))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

type invitationRequest struct {
	Note      string   `json:"note"`
	ExpiresIn *seconds `json:"expires_in"` // absent: 7 days
}

// invite makes an invitation. Its code is in this answer and nowhere else.
func (a *API) invite(w http.ResponseWriter, r *http.Request) error {
	var req invitationRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	var ttl time.Duration
	if err := req.ExpiresIn.set("expires_in", &ttl); err != nil {
		return err
	}
	if req.ExpiresIn != nil && ttl == 0 {
		return &issuer.InputError{Field: "expires_in", Reason: "must be 1 second to 90 days"}
	}
	invitation, code, err := a.accounts.Invite(r.Context(), req.Note, ttl)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusCreated, newInvitationAnswer(invitation, code))
	return nil
}

// withdrawInvitation voids an invitation.
func (a *API) withdrawInvitation(w http.ResponseWriter, r *http.Request) error {
	if err := a.accounts.Withdraw(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
