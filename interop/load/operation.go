package main

import "fmt"

// goals are milliseconds at most; zero is none.
type goals struct{ sqlite, postgres float64 }

func (g goals) on(database string) float64 {
	if database == postgreSQL {
		return g.postgres
	}
	return g.sqlite
}

// operation is a line of the table: what the clients do.
type operation struct {
	name  string
	goals goals
	call  func(*world) call

	limited    bool // each operation uses up a session of the stock
	passwords  bool // there must be people
	remembered bool // the server's memory is looked at afterwards

	beside  func(*world) *crowd // who else works meanwhile
	overrun bool                // the goal is for what the server takes beyond a bare Argon2id hash
	tail    bool                // the goal is for the p99 on the clock
}

// operations are those that a round of HTTP requests can measure.
func operations() []operation {
	return []operation{
		{name: "refresh, ES256", goals: goals{0.35, 0.5}, call: (*world).refreshing},
		{name: "issuer.Issue over HTTP, ES256", goals: goals{0.15, 0.15}, call: (*world).issuing},
		{name: "client credentials, ES256", goals: goals{0.15, 0.15}, call: (*world).acting},
		{name: "introspection", goals: goals{0.15, 0.25}, call: (*world).introspecting},
		{name: "userinfo", goals: goals{0.15, 0.25}, call: (*world).askingWho},
		{name: "authorization code to tokens", goals: goals{0.8, 0.8}, call: (*world).redeeming},
		{name: "DPoP-bound refresh, ES256", goals: goals{0.5, 0.5}, call: (*world).refreshingBound},
		{name: "revoke", goals: goals{0.25, 0.4}, call: (*world).revoking, limited: true},
		{name: "JWKS", goals: goals{0.025, 0.025}, call: read("/.well-known/jwks.json")},
		{name: "discovery", goals: goals{0.025, 0.025}, call: read("/.well-known/openid-configuration"), remembered: true},
		{name: "password login", goals: goals{1, 1}, call: (*world).logIn, passwords: true, overrun: true},
		{name: fmt.Sprintf("refresh beside %d clients that log in", loginClients), goals: goals{50, 50}, call: (*world).refreshing, beside: (*world).logIns, passwords: true, tail: true},
	}
}
