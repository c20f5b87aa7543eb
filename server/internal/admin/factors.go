package admin

import (
	"context"
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Factors is what this package needs of an *accounts.Admin about second factors.
type Factors interface {
	ImportTOTP(ctx context.Context, sub string, f issuer.ForeignTOTP) error
	RemoveFactors(ctx context.Context, sub string) error
}

type importTOTPRequest struct {
	Secret         string    `json:"totp_secret"`
	RecoveryHashes []string  `json:"recovery_hashes"`
	Created        time.Time `json:"created"` // zero: now
}

// importTOTP gives a subject's account the one-time codes that it had elsewhere.
func (a *API) importTOTP(w http.ResponseWriter, r *http.Request) error {
	var req importTOTPRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	err := a.accounts.ImportTOTP(r.Context(), r.PathValue("sub"), issuer.ForeignTOTP{Secret: req.Secret, RecoveryHashes: req.RecoveryHashes, Created: req.Created})
	if err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// removeFactors makes a subject's password enough again: its owner has lost the device.
func (a *API) removeFactors(w http.ResponseWriter, r *http.Request) error {
	if err := a.accounts.RemoveFactors(r.Context(), r.PathValue("sub")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
