package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
)

// Revocations is what this package needs of an *issuer.Issuer to take tokens out of use.
type Revocations interface {
	RevokeAnyToken(ctx context.Context, token string) error
	RevokeClient(ctx context.Context, id string) error
	RevokeEverything(ctx context.Context) error
	EndSessions(ctx context.Context, sub string) error
}

// endingTimeout is for ending the sessions of a client or of everybody, which may be a million, a batch at a time.
const endingTimeout = time.Minute

// revocationRequest names one thing: a token, or whose tokens.
type revocationRequest struct {
	Token      string `json:"token"`
	Subject    string `json:"subject"`
	ClientID   string `json:"client_id"`
	Everything bool   `json:"everything"`
}

// revoke takes a token, or all tokens and sessions of a subject, a client or everybody, out of use.
func (a *API) revoke(w http.ResponseWriter, r *http.Request) error {
	var req revocationRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	var err error
	switch req {
	case revocationRequest{}:
		err = web.NewProblem(http.StatusBadRequest, "nothing to revoke: name token, subject, client_id or everything")
	case revocationRequest{Token: req.Token}:
		err = a.issuer.RevokeAnyToken(r.Context(), req.Token)
	case revocationRequest{Subject: req.Subject}:
		err = a.issuer.EndSessions(r.Context(), req.Subject)
	case revocationRequest{ClientID: req.ClientID}:
		web.GiveTime(w, endingTimeout)
		err = a.issuer.RevokeClient(r.Context(), req.ClientID)
	case revocationRequest{Everything: true}:
		web.GiveTime(w, endingTimeout)
		err = a.issuer.RevokeEverything(r.Context())
	default:
		err = web.NewProblem(http.StatusBadRequest, "one revocation at a time: name token, subject, client_id or everything")
	}
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
