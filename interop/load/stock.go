package main

import (
	"context"
	"fmt"

	"github.com/jot-auth/jot/server/issuer"
)

// backend is a client that acts for itself, and may begin sessions for people whom it has authenticated.
const backend = issuer.ClientPrefix + "backend"

// What becomes of the sessions of the stock, in the names of their subjects.
const (
	toBeRefreshed = "refreshed"
	toBeRevoked   = "revoked"
)

func subjectID(fate string, n int) string { return fmt.Sprintf("%s-%d", fate, n) }

// stock is what the clients hold before the server starts: good refresh tokens, each of a session of its own, and the backend's secret.
type stock struct {
	toRefresh, toRevoke []string
	secret              string
}

// newStock issues tokens. Their sessions lie among those that are in the database already.
func newStock(ctx context.Context, i *issuer.Issuer, toRefresh, toRevoke int) (s stock, err error) {
	if s.toRefresh, err = issueTokens(ctx, i, toBeRefreshed, toRefresh); err != nil {
		return s, err
	}
	if s.toRevoke, err = issueTokens(ctx, i, toBeRevoked, toRevoke); err != nil {
		return s, err
	}
	secret, hash := issuer.NewClientSecret()
	s.secret = secret
	return s, i.CreateClient(ctx, issuer.Client{ID: backend, Scopes: append([]string{issuer.ScopeSessions}, scopes...), SecretHash: hash})
}

// issueTokens begins so many sessions of subjects that have ten each, and returns their refresh tokens.
func issueTokens(ctx context.Context, i *issuer.Issuer, fate string, count int) ([]string, error) {
	tokens := make([]string, count)
	for n := range count {
		subject := subjectID(fate, n/sessionsPerSubject)
		if n%sessionsPerSubject == 0 {
			if err := i.CreateSubject(ctx, issuer.Subject{ID: subject, Scope: scopes}); err != nil {
				return nil, err
			}
		}
		issued, err := i.Issue(ctx, issuer.Grant{Subject: subject, AMR: []string{"pwd"}, UserAgent: userAgent, Address: address})
		if err != nil {
			return nil, err
		}
		tokens[n] = issued.Refresh
	}
	return tokens, nil
}
