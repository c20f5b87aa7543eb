package openapi

import "github.com/jot-auth/jot/server/issuer"

// consents lists what somebody lets a client have, and takes it back, by themselves and by an administrator.
func (c *client) consents() {
	c.t.Helper()
	access, sub := c.signUp("gus")
	const client = "client_reader"
	c.as("POST", "/admin/v1/clients", object{"client_id": client, "scope": "pets:read"}, 201)
	c.refusedBearers(access, map[string]object{"GET /v1/consents": nil, "DELETE /v1/consents/" + client: nil})
	begin := func() {
		_, err := c.Server.Issuer().Issue(c.t.Context(), issuer.Grant{Subject: sub, ClientID: client})
		must(c.t, err)
	}
	begin()
	c.do(call{method: "GET", path: "/v1/consents", header: bearer(access), want: 200})
	c.do(call{method: "DELETE", path: "/v1/consents/" + client, header: bearer(access), want: 204})
	c.do(call{method: "DELETE", path: "/v1/consents/" + client, header: bearer(access), want: 404})
	begin()
	of := "/admin/v1/subjects/" + sub + "/consents"
	c.as("GET", of, nil, 200)
	c.as("GET", "/admin/v1/subjects/nobody/consents", nil, 404)
	c.as("DELETE", of+"/"+client, nil, 204)
	c.as("DELETE", of+"/"+client, nil, 404)
}
