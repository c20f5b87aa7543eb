package server_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/openapi"
)

// endpoint is a route as TestBadInput attacks it. A new route needs a row in surface, or TestSurface fails.
type endpoint struct {
	body     map[string]any   // members of a request that would be good; nil: the route takes no body
	others   []map[string]any // more requests that would be good
	form     bool             // takes a form, too, and answers as RFC 6749 §5.2 has it
	page     bool             // takes a form alone, and answers a page
	harmless []string         // members in which almost any text is good
	bearer   string           // "access", "admin" or "feed" where a bearer token is demanded
	lacks    int              // status of a GET that lacks its query, and of a body that is good for what isn't there: the thing to change, or a sign-in; 0: 200
	query    string           // of a request that would be good
	texts    []string         // parameters of a list's query in which any text is good; not nil: it's a list
	words    []string         // its other parameters, beside after and limit
}

// surface is every route that the server has. In a path, x is a subject, a session, a resource and a key, and client_x
// a client.
var surface = map[string]endpoint{
	"POST /v1/signup":                   {body: map[string]any{"username": "eve", "password": password, "email": "", "invitation": ""}, harmless: []string{"password", "invitation"}},
	"POST /v1/login":                    {body: map[string]any{"username": "ada", "password": "wrong " + password, "resource": "petstore", "scope": "pets:read", "cookies": false}},
	"POST /v1/login/factor":             {body: map[string]any{"challenge": "jlt_x", "code": "000000", "resource": "petstore", "scope": "pets:read", "cookies": false}},
	"POST /v1/login/passkey":            {body: map[string]any{}},
	"POST /v1/login/passkey/confirm":    {body: map[string]any{"credential": map[string]any{"id": "AAAA"}, "resource": "petstore", "scope": "pets:read", "cookies": false}},
	"GET /v1/factors":                   {bearer: "access"},
	"POST /v1/factors/totp":             {bearer: "access", body: map[string]any{"password": "wrong " + password}},
	"POST /v1/factors/totp/confirm":     {bearer: "access", body: map[string]any{"code": "000000"}},
	"DELETE /v1/factors/totp":           {bearer: "access"},
	"POST /v1/factors/recovery-codes":   {bearer: "access", body: map[string]any{"password": "wrong " + password}},
	"POST /v1/factors/passkeys":         {bearer: "access", body: map[string]any{"password": "wrong " + password}},
	"POST /v1/factors/passkeys/confirm": {bearer: "access", body: map[string]any{"name": "Phone", "credential": map[string]any{"id": "AAAA"}}},
	"PATCH /v1/factors/passkeys/{id}":   {bearer: "access", body: map[string]any{"name": "Phone"}, lacks: 404},
	"DELETE /v1/factors/passkeys/{id}":  {bearer: "access"},
	"POST /v1/refresh":                  {body: map[string]any{"refresh_token": "jrt_x"}},
	"POST /v1/logout":                   {body: map[string]any{"everywhere": false, "refresh_token": "jrt_x"}},
	"POST /v1/password":                 {bearer: "access", body: map[string]any{"current": "wrong " + password, "new": "new " + password}},
	"POST /v1/password/reset":           {body: map[string]any{"email": "ada@example.com"}},
	"POST /v1/password/reset/confirm":   {body: map[string]any{"code": "jpt_x", "new": "new " + password}},
	"POST /v1/email":                    {bearer: "access", body: map[string]any{"email": "ada@example.com", "password": "wrong " + password}},
	"POST /v1/email/confirm":            {body: map[string]any{"code": "jvt_x"}},
	"GET /v1/me/export":                 {bearer: "access"},
	"GET /v1/me":                        {bearer: "access"},
	"GET /v1/sessions":                  {bearer: "access", texts: []string{}},
	"DELETE /v1/sessions/{sid}":         {bearer: "access"},
	"POST /oauth2/token": {form: true, body: map[string]any{"grant_type": "refresh_token", "client_id": "client_app", "refresh_token": "jrt_x", "scope": "pets:read", "resource": "petstore"}, others: []map[string]any{{"grant_type": "authorization_code", "client_id": "client_app", "code": "jac_x", "redirect_uri": "https://app.example.com/callback", "code_verifier": "x"}, {"grant_type": "client_credentials", "client_id": "client_app", "client_secret": "jcs_x"},
		{"grant_type": "urn:ietf:params:oauth:grant-type:token-exchange", "client_id": "client_app", "subject_token": "x", "subject_token_type": "urn:ietf:params:oauth:token-type:access_token", "audience": "petstore"},
		{"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "client_id": "client_app", "device_code": "jdc_x"},
		{"grant_type": "password", "client_id": "client_app", "username": "ada", "password": "wrong " + password},
		{"grant_type": "client_credentials", "client_assertion": "a.b.c", "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"}}},
	"POST /oauth2/device_authorization":           {form: true, body: map[string]any{"client_id": "client_app", "scope": "pets:read", "resource": "petstore"}},
	"POST /oauth2/revoke":                         {form: true, body: map[string]any{"token": "x", "token_type_hint": "refresh_token", "client_id": "client_app"}, harmless: []string{"token", "token_type_hint"}},
	"POST /oauth2/introspect":                     {form: true, body: map[string]any{"token": "x", "token_type_hint": "refresh_token", "client_id": "client_app", "client_secret": "jcs_x"}, harmless: []string{"token", "token_type_hint"}},
	"GET /verify":                                 {bearer: "access", query: "audience=petstore&scope=pets:read"},
	"GET /.well-known/jwks.json":                  {},
	"GET /.well-known/openid-configuration":       {},
	"GET /.well-known/oauth-authorization-server": {},
	"GET /feed/jwks.json":                         {},
	"GET /feed/snapshot":                          {bearer: "feed"},
	"GET /feed/snapshot/{sequence}":               {bearer: "feed", query: "format=2&log=x&key=x"},
	"GET /feed/segment/{number}":                  {bearer: "feed", query: "log=x"},
	"GET /feed/live":                              {bearer: "feed", query: "after=0&log=x&nonce=0123456789abcdef&verifier=0123456789abcdef&max_staleness=10000"},
	"POST /feed/acknowledgement":                  {bearer: "feed", body: map[string]any{"verifier": "0123456789abcdef", "log_id": "x", "sequence": 0}},
	"POST /feed/backchannel-logout":               {form: true, body: map[string]any{"logout_token": "x"}},
	"GET /openapi.json":                           {},
	"GET /healthz":                                {},
	"GET /readyz":                                 {},

	"GET /admin/v1/subjects":                  {bearer: "admin", texts: []string{"username"}, words: []string{"disabled"}},
	"POST /admin/v1/subjects":                 {bearer: "admin", body: map[string]any{"sub": "y", "username": "bob", "password": password, "password_hash": "", "email": "", "email_verified": false, "scope": "pets:read", "claims": map[string]any{"plan": "free"}, "disabled": false}, harmless: []string{"sub", "password", "scope"}},
	"GET /admin/v1/subjects/{sub}":            {bearer: "admin"},
	"PATCH /admin/v1/subjects/{sub}":          {bearer: "admin", body: map[string]any{"scope": "pets:read", "claims": map[string]any{"plan": "free"}, "disabled": false, "soft": true}, harmless: []string{"scope"}},
	"DELETE /admin/v1/subjects/{sub}":         {bearer: "admin"},
	"POST /admin/v1/subjects/{sub}/logout":    {bearer: "admin"},
	"PUT /admin/v1/subjects/{sub}/password":   {bearer: "admin", body: map[string]any{"password": password}, harmless: []string{"password"}},
	"GET /admin/v1/subjects/{sub}/export":     {bearer: "admin"},
	"DELETE /admin/v1/subjects/{sub}/factors": {bearer: "admin"},
	"GET /admin/v1/invitations":               {bearer: "admin", texts: []string{}},
	"POST /admin/v1/invitations":              {bearer: "admin", body: map[string]any{"note": "for Ada", "expires_in": 60}, harmless: []string{"note"}},
	"DELETE /admin/v1/invitations/{id}":       {bearer: "admin"},
	"GET /admin/v1/sessions":                  {bearer: "admin", texts: []string{"sub", "client_id"}, words: []string{"live"}},
	"POST /admin/v1/sessions":                 {bearer: "admin", body: map[string]any{"sub": "x", "claims": map[string]any{"plan": "free"}, "scope": "pets:read", "client_id": "client_app", "resource": "petstore", "amr": []string{"pwd"}, "user_agent": "curl", "address": "192.0.2.1"}, harmless: []string{"sub", "scope", "resource", "amr", "user_agent", "address"}},
	"GET /admin/v1/sessions/{sid}":            {bearer: "admin"},
	"DELETE /admin/v1/sessions/{sid}":         {bearer: "admin"},
	"GET /admin/v1/clients":                   {bearer: "admin", texts: []string{"text"}, words: []string{"confidential", "first_party"}},
	"POST /admin/v1/clients":                  {bearer: "admin", body: merged(clientMembers, map[string]any{"client_id": "client_y", "confidential": false}), harmless: []string{"name", "scope", "resources", "exchange_from"}},
	"GET /admin/v1/clients/{id}":              {bearer: "admin"},
	"PATCH /admin/v1/clients/{id}":            {bearer: "admin", body: clientMembers, harmless: []string{"name", "scope", "resources", "exchange_from"}},
	"DELETE /admin/v1/clients/{id}":           {bearer: "admin"},
	"POST /admin/v1/clients/{id}/secret":      {bearer: "admin"},
	"GET /admin/v1/resources":                 {bearer: "admin", texts: []string{"text"}},
	"POST /admin/v1/resources":                {bearer: "admin", body: merged(resourceMembers, map[string]any{"audience": "y"}), harmless: []string{"audience", "name", "scope"}},
	"GET /admin/v1/resources/{audience}":      {bearer: "admin"},
	"PATCH /admin/v1/resources/{audience}":    {bearer: "admin", body: resourceMembers, harmless: []string{"name", "scope"}},
	"DELETE /admin/v1/resources/{audience}":   {bearer: "admin"},
	"GET /admin/v1/keys":                      {bearer: "admin", texts: []string{}, words: []string{"purpose", "state", "alg"}},
	"POST /admin/v1/keys":                     {bearer: "admin", body: map[string]any{"key": "{}", "alg": "ES256"}},
	"POST /admin/v1/keys/rotate":              {bearer: "admin", body: map[string]any{"purpose": "access", "alg": "ES256", "dry_run": true, "emergency": false}},
	"DELETE /admin/v1/keys/{kid}":             {bearer: "admin"},
	"POST /admin/v1/revocations":              {bearer: "admin", body: map[string]any{"token": "x"}, others: []map[string]any{{"subject": "x"}, {"client_id": "client_x"}}, harmless: []string{"subject"}},
	"GET /admin/v1/events":                    {bearer: "admin", texts: []string{"kind", "sub"}, words: []string{"since", "until"}},
	"POST /admin/v1/bootstrap":                {body: bootstrapMembers},
	"GET /admin/bootstrap":                    {},
	"POST /admin/bootstrap":                   {page: true, body: bootstrapMembers},

	"GET /v1/consents":                                  {bearer: "access"},
	"DELETE /v1/consents/{client}":                      {bearer: "access"},
	"GET /admin/v1/subjects/{sub}/consents":             {bearer: "admin"},
	"DELETE /admin/v1/subjects/{sub}/consents/{client}": {bearer: "admin"},
	"PUT /admin/v1/subjects/{sub}/factors/totp":         {bearer: "admin", body: map[string]any{"totp_secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "recovery_hashes": []string{}, "created": "2030-01-02T03:04:05Z"}},
	"POST /admin/v1/subjects/{sub}/factors/passkeys":    {bearer: "admin", body: map[string]any{"rp_id": "auth.example.com", "id": "", "name": "Phone", "credential_id": "AAAA", "public_key": "AAAA", "user_handle": "", "sign_count": 0, "transports": []string{}, "backup_eligible": true, "backed_up": false, "recovery_hashes": []string{}, "created": "2030-01-02T03:04:05Z", "last_used": "2030-01-02T03:04:05Z"}},

	"GET /oauth2/authorize":    {lacks: 400},
	"POST /oauth2/authorize":   {}, // whatever the form holds comes back as a query: see TestFormRequest of console
	"GET /oauth2/logout":       {},
	"POST /oauth2/logout":      {}, // as above
	"GET /login":               {lacks: 400},
	"POST /login":              {page: true, body: map[string]any{"request": "x", "username": "ada", "password": "wrong " + password}},
	"POST /factor":             {page: true, body: map[string]any{"request": "x", "challenge": "jlt_x", "code": "000000"}},
	"POST /login-passkey":      {page: true, body: map[string]any{"request": "x", "credential": "{}"}},
	"GET /passkeys":            {lacks: 303},
	"GET /passkey.js":          {},
	"POST /new-passkey":        {page: true, lacks: 303, body: map[string]any{"password": "wrong " + password}},
	"POST /add-passkey":        {page: true, lacks: 303, body: map[string]any{"name": "Phone", "credential": "{}"}},
	"POST /recovery-codes":     {page: true, lacks: 303, body: map[string]any{"password": "wrong " + password}},
	"POST /change-passkey":     {page: true, lacks: 303, body: map[string]any{"id": "x", "name": "Phone", "change": "rename"}},
	"GET /consent":             {lacks: 400},
	"POST /consent":            {page: true, body: map[string]any{"request": "x", "decision": "allow"}},
	"POST /logout":             {page: true, body: map[string]any{"request": "x"}},
	"GET /device":              {lacks: 303},
	"POST /device":             {page: true, body: map[string]any{"user_code": "WDJB-MJHT"}},
	"POST /device/decision":    {page: true, body: map[string]any{"request": "x", "decision": "allow"}},
	"GET /verify-email":        {},
	"POST /verify-email":       {page: true, body: map[string]any{"code": "jvt_x"}},
	"GET /reset-password":      {},
	"POST /reset-password":     {page: true, body: map[string]any{"code": "jpt_x", "password": "new " + password}},
	"GET /forgotten-password":  {},
	"GET /apps":                {lacks: 303},
	"POST /apps":               {page: true, body: map[string]any{"request": "x", "client": "client_x"}},
	"POST /forgotten-password": {page: true, body: map[string]any{"email": "ada@example.com"}},
	"GET /userinfo":            {bearer: "access"},
	"POST /userinfo":           {bearer: "access"},
}

var (
	clientMembers = map[string]any{
		"name": "App", "scope": "pets:read", "resources": []string{"petstore"}, "first_party": false, "access_ttl": 60, "idle_ttl": 3600, "absolute_ttl": 7200,
		"access_type": "JWT", "algorithm": "ES256", "redirect_uris": []string{"https://app.example.com/callback"},
		"post_logout_redirect_uris": []string{"https://app.example.com/"}, "backchannel_logout_uri": "https://app.example.com/logout",
		"require_dpop": false, "device_grant": true, "exchange_from": []string{"petstore"},
	}
	resourceMembers  = map[string]any{"name": "Pets", "scope": "pets:read", "access_ttl": 60, "algorithm": "ES256"}
	bootstrapMembers = map[string]any{"code": "jbt_x", "username": "root2", "password": password}
)

func merged(members, more map[string]any) map[string]any {
	all := maps.Clone(members)
	maps.Copy(all, more)
	return all
}

// parameters fills the parameters of a path.
var parameters = strings.NewReplacer("{id}", "client_x", "{sub}", "x", "{sid}", "x", "{audience}", "x", "{kid}", "x", "{sequence}", "0", "{number}", "0")

// elsewhere are files and folders whose routes are none of the server's: those of the listener for who runs it (see
// serve_test.go), those that the command asks for, and those of the examples.
var elsewhere = []string{"admin.go", filepath.Join("internal", "cli"), "examples"}

// TestSurface reads every route out of the source, however it's registered, and wants a row for each.
func TestSurface(t *testing.T) {
	route := regexp.MustCompile(`^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS) /[^ ]+$`)
	found := make(map[string]bool)
	err := filepath.WalkDir(".", func(path string, entry fs.DirEntry, err error) error {
		if slices.Contains(elsewhere, path) && entry.IsDir() {
			return filepath.SkipDir
		}
		if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || slices.Contains(elsewhere, path) {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if literal, ok := n.(*ast.BasicLit); ok && literal.Kind == token.STRING {
				if text, err := strconv.Unquote(literal.Value); err == nil && route.MatchString(text) {
					found[text] = true
				}
			}
			return true
		})
		return nil
	})
	if err != nil || len(found) == 0 {
		t.Fatal(len(found), err)
	}
	for route := range found {
		if _, ok := surface[route]; !ok {
			t.Errorf("%s has no row in surface: nobody attacks it", route)
		}
	}
	for route := range surface {
		if !found[route] {
			t.Errorf("%s has a row in surface and isn't served", route)
		}
	}
}

// TestDescribedRoutes holds the OpenAPI document and the tables of docs/http-api.md against surface: each describes
// every route, and no other.
func TestDescribedRoutes(t *testing.T) {
	for name, described := range map[string]map[string]bool{"the OpenAPI document": openAPIRoutes(t), "docs/http-api.md": tableRoutes(t)} {
		for route := range surface {
			if !described[route] {
				t.Errorf("%s lacks %s", name, route)
			}
		}
		for route := range described {
			if _, ok := surface[route]; !ok {
				t.Errorf("%s has %s, which isn't served", name, route)
			}
		}
	}
}

func openAPIRoutes(t *testing.T) map[string]bool {
	t.Helper()
	text, err := openapi.Document("https://auth.example.com")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage `json:"paths"`
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	routes := make(map[string]bool)
	for path, operations := range document.Paths {
		for method := range operations {
			routes[strings.ToUpper(method)+" "+path] = true
		}
	}
	return routes
}

// tableRoutes reads the first column of each table, such as "`GET, POST /clients`". A heading may say what its paths
// are below.
func tableRoutes(t *testing.T) map[string]bool {
	t.Helper()
	text, err := os.ReadFile("../docs/http-api.md")
	if err != nil {
		t.Fatal(err)
	}
	below, cell := "", regexp.MustCompile("`([A-Z, ]+) (/[^`]*)`")
	routes := make(map[string]bool)
	for line := range strings.Lines(string(text)) {
		columns := strings.Split(line, "|")
		if len(columns) < 3 {
			continue
		}
		if heading, prefix, found := strings.Cut(columns[1], "below"); strings.Contains(heading, "method and path") {
			if below = ""; found {
				below = strings.Trim(prefix, " `")
			}
		}
		for _, match := range cell.FindAllStringSubmatch(columns[1], -1) {
			for method := range strings.SplitSeq(match[1], ", ") {
				routes[method+" "+below+match[2]] = true
			}
		}
	}
	return routes
}

// TestDescribedEvents holds the OpenAPI document against the kinds of events that package issuer names.
func TestDescribedEvents(t *testing.T) {
	text, err := openapi.Document("https://auth.example.com")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct {
			Schemas struct{ EventKind struct{ Enum []string } }
		}
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	kind, named := regexp.MustCompile(`EventKind += "([a-z._]+)"`), 0
	for _, name := range []string{"audit.go", "event.go"} {
		source, err := os.ReadFile(filepath.Join("issuer", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, match := range kind.FindAllStringSubmatch(string(source), -1) {
			named++
			if !slices.Contains(document.Components.Schemas.EventKind.Enum, match[1]) {
				t.Errorf("the OpenAPI document lacks the event %s", match[1])
			}
		}
	}
	if described := len(document.Components.Schemas.EventKind.Enum); described != named {
		t.Errorf("%d kinds of events are described, of %d", described, named)
	}
}
