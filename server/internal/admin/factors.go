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
	ImportPasskey(ctx context.Context, sub string, p issuer.ForeignPasskey) error
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
		return web.Taken(err, web.CodesTaken)
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

// importPasskeyRequest is a line of passkeys.jsonl without its sub.
type importPasskeyRequest struct {
	RelyingParty   string    `json:"rp_id"`
	ID             string    `json:"id"` // "": a random one
	Name           string    `json:"name"`
	Credential     string    `json:"credential_id"` // base64url, like the next two
	PublicKey      string    `json:"public_key"`    // COSE
	UserHandle     string    `json:"user_handle"`   // "": as this server makes it
	SignCount      uint32    `json:"sign_count"`
	Transports     []string  `json:"transports"`
	BackupEligible bool      `json:"backup_eligible"`
	BackedUp       bool      `json:"backed_up"`
	RecoveryHashes []string  `json:"recovery_hashes"`
	Created        time.Time `json:"created"`   // zero: now
	LastUsed       time.Time `json:"last_used"` // zero: never
}

// importPasskey gives a subject's account a passkey that it had elsewhere, under the same host name.
func (a *API) importPasskey(w http.ResponseWriter, r *http.Request) error {
	var req importPasskeyRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	if err := a.accounts.ImportPasskey(r.Context(), r.PathValue("sub"), issuer.ForeignPasskey(req)); err != nil {
		return web.Taken(err, web.PasskeyTaken)
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
