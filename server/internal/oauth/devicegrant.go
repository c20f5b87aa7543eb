package oauth

import (
	"net/http"
	"net/url"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

const grantDevice = "urn:ietf:params:oauth:grant-type:device_code" // RFC 8628 §3.4

// deviceParameters are those of a device code alone.
type deviceParameters struct {
	DeviceCode string `json:"device_code"`
}

func (p *deviceParameters) fromForm(form url.Values) { p.DeviceCode = form.Get("device_code") }

// redeemDevice trades a device code, once somebody has allowed it.
func (s *Server) redeemDevice(r *http.Request, req *tokenRequest) (issuer.Tokens, error) {
	if req.DeviceCode == "" {
		return issuer.Tokens{}, missing("device_code")
	}
	return s.issuer.RedeemDevice(r.Context(), issuer.DeviceGrant{
		DeviceCode: req.DeviceCode, ClientID: req.ID, KeyThumbprint: req.keyThumbprint, UserAgent: r.UserAgent(), Address: web.ClientAddress(r),
	})
}

// deviceRequest is RFC 8628 §3.1's, with RFC 8707's resource.
type deviceRequest struct {
	client
	Scope    string `json:"scope"`
	Resource string `json:"resource"`
}

func (d *deviceRequest) fromForm(form url.Values) {
	d.client.fromForm(form)
	d.Scope, d.Resource = form.Get("scope"), form.Get("resource")
}

// deviceAnswer is RFC 8628 §3.2's answer.
type deviceAnswer struct {
	DeviceCode       string `json:"device_code"`
	UserCode         string `json:"user_code"`
	VerificationURI  string `json:"verification_uri"`
	VerificationFull string `json:"verification_uri_complete"`
	ExpiresIn        int64  `json:"expires_in"` // seconds
	Interval         int64  `json:"interval"`   // seconds
}

// startDevice answers POST /oauth2/device_authorization.
func (s *Server) startDevice(w http.ResponseWriter, r *http.Request) {
	start, err := s.deviceStart(w, r)
	if err != nil {
		s.fail(w, r, err)
		return
	}
	page := s.issuer.URL() + "/device"
	web.NoStore(w)
	web.WriteJSON(w, http.StatusOK, deviceAnswer{
		DeviceCode: start.DeviceCode, UserCode: start.UserCode, VerificationURI: page, VerificationFull: page + "?" + url.Values{"user_code": {start.UserCode}}.Encode(),
		ExpiresIn: int64(start.ExpiresIn / time.Second), Interval: int64(start.Interval / time.Second),
	})
}

func (s *Server) deviceStart(w http.ResponseWriter, r *http.Request) (issuer.DeviceStart, error) {
	var req deviceRequest
	if err := decode(w, r, &req); err != nil {
		return issuer.DeviceStart{}, err
	}
	if _, err := s.authenticate(r, &req.client); err != nil {
		return issuer.DeviceStart{}, err
	}
	return s.issuer.StartDevice(r.Context(), issuer.DeviceRequest{ClientID: req.ID, Resource: req.Resource, Scope: web.ParseScope(req.Scope), Address: web.ClientAddress(r)})
}
