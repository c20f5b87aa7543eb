package server_test

import (
	"net/http"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

const lifeDeviceGrant = "urn:ietf:params:oauth:grant-type:device_code"

// device connects one that has no browser, by the one that is signed in since bound.
func (l *life) device() {
	l.t.Helper()
	begun := l.ask(form("client_id", "client_tv", "scope", "pets:read").to("/oauth2/device_authorization", 200))
	poll := form("grant_type", lifeDeviceGrant, "client_id", "client_tv", "device_code", begun["device_code"])
	l.ask(poll.to("/oauth2/token", 400))
	l.visit(http.MethodGet, l.url+"/device?user_code="+begun["user_code"], nil)
	page := l.visit(http.MethodPost, l.url+"/device", formOf(map[string]any{"user_code": begun["user_code"]}))
	l.submit(page, "/device/decision", "decision", "allow")
	l.ask(poll.to("/oauth2/token", 200))
	l.ask(poll.to("/oauth2/token", 400))
}

// passwordGrant logs in at the token endpoint.
func (l *life) passwordGrant() {
	l.t.Helper()
	grant := []string{"grant_type", "password", "client_id", "client_app", "username", l.name, "password"}
	l.ask(form(append(grant, l.password)...).to("/oauth2/token", 200))
	l.ask(form(append(grant, l.wrong)...).to("/oauth2/token", 400))
}

// factors gives an account one-time codes, and logs in with what takes their place.
func (l *life) factors(s *server.Server) {
	l.t.Helper()
	account := credentials(l.secret("username of the second account", "grace-hopper@example.com"), l.password, "")
	l.ask(asked{"POST", "/v1/signup", account, nil, 201})
	access := l.ask(asked{"POST", "/v1/login", account, nil, 200})["access_token"]
	made := l.ask(asked{"POST", "/v1/factors/totp", encode(object{"password": l.password}), bearer(access), 200})
	confirmed := l.ask(asked{"POST", "/v1/factors/totp/confirm", encode(object{"code": totpCode(l.t, s, made["secret"], 0)}), bearer(access), 200})
	half := l.ask(asked{"POST", "/v1/login", account, nil, 403})
	complete := encode(object{"challenge": half["challenge"], "code": confirmed["recovery_codes"]})
	l.ask(asked{"POST", "/v1/login/factor", complete, nil, 200})
	l.ask(asked{"POST", "/v1/login/factor", complete, nil, 403})
}

// administrator makes one with the operator's code, who makes what bears secrets.
func (l *life) administrator(database server.Config, audience string) {
	l.t.Helper()
	code, _, err := server.InviteAdmin(l.t.Context(), database)
	if err != nil {
		l.t.Fatal(err)
	}
	password := l.secret("password of the administrator", "four brass windmills hum")
	first := encode(object{"code": l.secret("bootstrap code", code), "username": "root", "password": password})
	l.ask(asked{"POST", "/admin/v1/bootstrap", first, nil, 201})
	l.ask(asked{"POST", "/admin/v1/bootstrap", first, nil, 403})
	header := bearer(l.ask(asked{"POST", "/v1/login", encode(object{"username": "root", "password": password, "client_id": issuer.CommandClient, "resource": audience}), nil, 200})["access_token"])
	key, err := jot.GenerateKey(jot.ES256)
	if err != nil {
		l.t.Fatal(err)
	}
	private, err := key.ExportJWK()
	if err != nil {
		l.t.Fatal(err)
	}
	for path, body := range map[string]object{
		"/subjects":    {"sub": "person-9", "username": "bob", "password": l.secret("password that an administrator chose", "six paper lighthouses blink")},
		"/clients":     {"client_id": "client_made", "confidential": true},
		"/invitations": {"note": "for Charles"},
		"/keys":        {"key": l.secret("private key", string(private))},
		"/sessions":    {"sub": "person-10", "client_id": "client_app", "claims": object{"nickname": l.secret("claim", "enchantress-of-numbers")}},
	} {
		l.ask(asked{"POST", "/admin/v1" + path, encode(body), header, 201})
	}
	l.ask(asked{"PUT", "/admin/v1/subjects/person-9/password", encode(object{"password": l.secret("password that an administrator changed", "five velvet anchors drift")}), header, 204})
	l.ask(asked{"POST", "/admin/v1/clients/client_made/secret", "", header, 200})
}
