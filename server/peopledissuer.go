package server

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/issuer"
)

// peopledIssuer is an issuer that knows of the accounts at this server.
type peopledIssuer struct {
	*issuer.Issuer
	accounts *accounts.Accounts
}

// UserInfo is the issuer's, with what the accounts know.
func (p peopledIssuer) UserInfo(ctx context.Context, token *jot.Token) (map[string]json.RawMessage, error) {
	return p.UserInfoOf(ctx, token, p.accounts.Known)
}

// StartDevice is the issuer's, for as many devices of an address as may ask. A client that proves who it is answers for
// its devices itself.
func (p peopledIssuer) StartDevice(ctx context.Context, r issuer.DeviceRequest) (issuer.DeviceStart, error) {
	client, err := p.Client(ctx, r.ClientID)
	if err == nil && !client.Confidential() {
		err = p.accounts.AdmitDevice(ctx, r.Address)
	}
	if err != nil && !errors.Is(err, issuer.ErrNotFound) {
		return issuer.DeviceStart{}, err
	}
	return p.Issuer.StartDevice(ctx, r)
}
