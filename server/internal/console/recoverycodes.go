package console

import (
	"context"
	"errors"
	"net/http"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// RecoveryCodes is what this package needs of an *accounts.Accounts about recovery codes.
type RecoveryCodes interface {
	RenewRecoveryCodes(ctx context.Context, subject, password string, from issuer.Device) (codes []string, err error)
}

// recoveryCodesView is what the page shows after the first passkey, and to whoever asks for new codes.
type recoveryCodesView struct {
	Codes   []string
	Renewed bool // those of before are void
}

// renewRecoveryCodes answers POST /recovery-codes: somebody has typed their password.
func (c *Console) renewRecoveryCodes(w http.ResponseWriter, r *http.Request) {
	form, subject, err := c.decodeChanging(w, r)
	var codes []string
	if err == nil {
		codes, err = c.accounts.RenewRecoveryCodes(web.Acting(w, r), subject, form.Get("password"), deviceOf(r))
	}
	switch {
	case errors.Is(err, issuer.ErrNotFound): // the last factor is gone: the page shows it
		redirect(w, c.base+"/passkeys")
	case err != nil:
		c.passkeysFailed(w, r, err)
	default:
		c.pages.write(w, r, http.StatusOK, "recoverycodes.html", "", recoveryCodesView{codes, true})
	}
}
