package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/jot-auth/jot/server/issuer"
)

// The clients beside the first one.
const (
	backend = issuer.ClientPrefix + "backend" // acts for itself, and may begin sessions for people whom it has authenticated
	website = issuer.ClientPrefix + "website" // sends browsers to the authorization endpoint
)

// redirectURI is where the website takes its codes. Nobody listens there: clients read them from the answer.
const redirectURI = "https://website.example.com/callback"

// What becomes of the sessions of the stock, in the names of their subjects.
const (
	toBeRefreshed = "refreshed"
	toBeRevoked   = "revoked"
	toBeBound     = "bound" // to the key of whoever refreshes it
	toBeSignedIn  = "signed-in"
)

// signInsPerClient are enough for some 3,500 codes a minute of each client: a browser gets no more than codesPerSignIn.
const (
	signInsPerClient = 128
	codesPerSignIn   = 28
)

func subjectID(fate string, n int) string { return fmt.Sprintf("%s-%d", fate, n) }

// stock is what the clients hold before the server starts: good refresh tokens, each of a session of its own, the
// backend's secret, and for each client a key with the sessions that are bound to it, and browsers that are signed in.
type stock struct {
	toRefresh, toRevoke []string
	secret              string
	bound               []*boundSessions
	signIns             [][]string // secrets, of each client
}

// newStock issues tokens. Their sessions lie among those that are in the database already.
func newStock(ctx context.Context, i *issuer.Issuer, clients, toRevoke int) (s stock, err error) {
	if s.toRefresh, err = issueTokens(ctx, i, toBeRefreshed, clients*sessionsPerClient, ""); err != nil {
		return s, err
	}
	if s.toRevoke, err = issueTokens(ctx, i, toBeRevoked, toRevoke, ""); err != nil {
		return s, err
	}
	secret, hash := issuer.NewClientSecret()
	s.secret = secret
	err = errors.Join(
		i.CreateClient(ctx, issuer.Client{ID: backend, Scopes: append([]string{issuer.ScopeSessions}, scopes...), SecretHash: hash}),
		i.CreateClient(ctx, issuer.Client{ID: website, Scopes: scopes, FirstParty: true, RedirectURIs: []string{redirectURI}}),
	)
	for n := 0; n < clients && err == nil; n++ {
		err = s.addClient(ctx, i, n)
	}
	return s, err
}

// addClient makes what one client has for itself.
func (s *stock) addClient(ctx context.Context, i *issuer.Issuer, n int) error {
	own, err := newBoundSessions(func(thumbprint string) ([]string, error) {
		return issueTokens(ctx, i, fmt.Sprint(toBeBound, n), sessionsPerClient, thumbprint)
	})
	if err != nil {
		return err
	}
	subject := subjectID(toBeSignedIn, n)
	if err := i.CreateSubject(ctx, issuer.Subject{ID: subject, Claims: json.RawMessage(`{"name":"Ada Lovelace"}`), Scope: scopes}); err != nil {
		return err
	}
	signIns := make([]string, signInsPerClient)
	for n := range signIns {
		if signIns[n], _, err = i.SignIn(ctx, issuer.Proof{Subject: subject, AMR: []string{"pwd"}}, ""); err != nil {
			return err
		}
	}
	s.bound, s.signIns = append(s.bound, own), append(s.signIns, signIns)
	return nil
}

// issueTokens begins so many sessions of subjects that have ten each, and returns their refresh tokens, which are bound
// to a key where there is one.
func issueTokens(ctx context.Context, i *issuer.Issuer, fate string, count int, thumbprint string) ([]string, error) {
	tokens := make([]string, count)
	for n := range count {
		subject := subjectID(fate, n/sessionsPerSubject)
		if n%sessionsPerSubject == 0 {
			if err := i.CreateSubject(ctx, issuer.Subject{ID: subject, Scope: scopes}); err != nil {
				return nil, err
			}
		}
		issued, err := i.Issue(ctx, issuer.Grant{Subject: subject, AMR: []string{"pwd"}, UserAgent: userAgent, Address: address, KeyThumbprint: thumbprint})
		if err != nil {
			return nil, err
		}
		tokens[n] = issued.Refresh
	}
	return tokens, nil
}
