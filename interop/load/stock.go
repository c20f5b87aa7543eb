package main

import (
	"context"
	"fmt"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

// stock is what the clients hold: good refresh tokens, and people who can log in.
type stock struct {
	toRefresh []string // refresh tokens, each of a session of its own
	toRevoke  []string
	people    []person
}

type person struct{ name, password string }

// newStock issues tokens and makes accounts. The sessions lie among those that are in the database already.
func newStock(ctx context.Context, s *server.Server, toRefresh, toRevoke, people int) (*stock, error) {
	made := &stock{}
	var err error
	for n := range people {
		one := person{fmt.Sprintf("person%d", n), fmt.Sprintf("the password of person %d", n)}
		if _, err := s.SignUp(ctx, one.name, one.password); err != nil {
			return nil, err
		}
		made.people = append(made.people, one)
	}
	if made.toRefresh, err = issueTokens(ctx, s.Issuer(), "refreshing", toRefresh); err != nil {
		return nil, err
	}
	made.toRevoke, err = issueTokens(ctx, s.Issuer(), "revoking", toRevoke)
	return made, err
}

// issueTokens begins so many sessions of subjects that have ten each, and returns their refresh tokens.
func issueTokens(ctx context.Context, i *issuer.Issuer, name string, count int) ([]string, error) {
	tokens := make([]string, count)
	for n := range count {
		subject := fmt.Sprintf("%s-%d", name, n/sessionsPerSubject)
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
