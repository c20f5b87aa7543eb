package feed

import (
	"net/http"
	"strings"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
)

// acknowledgement says up to where a verifier enforces every rule.
type acknowledgement struct {
	Verifier string `json:"verifier"`
	LogID    string `json:"log_id"`
	Sequence uint64 `json:"sequence"`
}

// acknowledge takes what a verifier says after a statement that asks for it. The answer doesn't wait for the database:
// who waits for the verifier does.
func (s *Server) acknowledge(w http.ResponseWriter, r *http.Request) {
	var said acknowledgement
	if err := web.DecodeJSON(w, r, &said); err != nil {
		web.Fail(w, r, err)
		return
	}
	if !validVerifier(said.Verifier) || said.LogID == "" || len(said.LogID) > maxLogID || strings.Trim(said.LogID, base64url) != "" || said.Sequence > maxSequence {
		web.WriteProblem(w, web.NewProblem(http.StatusBadRequest, "verifier, log_id and sequence are those of the live stream"))
		return
	}
	if err := s.registry.take(said.Verifier, revocation.Cursor{LogID: said.LogID, Sequence: said.Sequence}); err != nil {
		web.Fail(w, r, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}
