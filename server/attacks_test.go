package server_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"strings"
)

// marker stands in most of the bad input, and must not stand in an answer.
const marker = "mArKeR"

// bodyAttacks are those on a route's body.
func bodyAttacks(method, path string, e endpoint) []attack {
	if e.body == nil {
		return nil
	}
	if e.page {
		return formAttacks(method, path, e)
	}
	bad, large, media := []int{400}, []int{413}, []int{415}
	if e.form {
		large, media = bad, bad // RFC 6749 §5.2
	}
	jsonHeader := []string{"Content-Type", "application/json"}
	var attacks []attack
	add := func(name, body string, want []int, headers ...string) {
		attacks = append(attacks, attack{name, method, path, headers, body, want})
	}
	good := encode(e.body)
	for name, body := range map[string]string{
		"not JSON": marker, "half JSON": good[:len(good)-2], "null": "null", "array": "[" + good + "]", "string": `"` + marker + `"`, "number": "1e999",
		"two objects": good + good, "rest after it": good + marker, "byte order mark": "\ufeff" + good, "invalid UTF-8": "{\"" + marker + "\xff\":1}", "NUL": good + "\x00",
		"unknown member": `{"` + marker + `":1}`, "prototype": `{"__proto__":{"` + marker + `":1}}`, "lone surrogate": `{"username":"\ud800` + marker + `"}`,
		"too deep": strings.Repeat(`{"a":`, 5000) + "1" + strings.Repeat("}", 5000), "comment": "/*" + marker + "*/" + good, "trailing comma": good[:len(good)-1] + ",}",
	} {
		add(name, body, bad, jsonHeader...)
	}
	for member, value := range e.body {
		one := encode(map[string]any{member: value})
		add("doubled member", one[:len(one)-1]+","+one[1:], bad, jsonHeader...)
		add("doubled member, escaped", one[:len(one)-1]+fmt.Sprintf(`,"\u%04x`, member[0])+one[2+1:], bad, jsonHeader...)
		add("member in capitals", strings.Replace(good, member, strings.ToUpper(member), 1), bad, jsonHeader...)
		for name, wrong := range map[string]any{"object": map[string]any{marker: 1}, "list": []string{marker}, "number": 1.5} {
			if reflect.TypeOf(value).Kind() == reflect.TypeOf(wrong).Kind() {
				continue
			}
			body := maps.Clone(e.body)
			body[member] = wrong
			add(name+" for "+member, encode(body), bad, jsonHeader...)
		}
		add("true for text", strings.Replace(good, encode(value), "true", 1), wantTrue(value), jsonHeader...)
		if _, text := value.(string); !text {
			body := maps.Clone(e.body)
			body[member] = marker
			add("text for "+member, encode(body), bad, jsonHeader...)
		}
		body := maps.Clone(e.body)
		body[member] = nil
		add("null for "+member, encode(body), bad, jsonHeader...)
	}
	add("stated large body", `{"a":"`+strings.Repeat(marker, 20_000)+`"}`, large, jsonHeader...)
	add("text", good, media, "Content-Type", "text/"+marker)
	add("no type", good, media)
	add("two types", good, media, "Content-Type", "application/json", "Content-Type", "application/json")
	add("another charset", good, media, "Content-Type", "application/json; charset=utf-16")
	add("multipart", good, media, "Content-Type", "multipart/form-data; boundary="+marker)
	add("compressed", good, media, "Content-Type", "application/json", "Content-Encoding", "gzip")
	if !e.form {
		add("a form", "username="+marker, media, "Content-Type", "application/x-www-form-urlencoded")
		return attacks
	}
	return append(attacks, formAttacks(method, path, e)...)
}

// formAttacks are those on a body that is a form.
func formAttacks(method, path string, e endpoint) []attack {
	bad, large, media := []int{400}, []int{413}, []int{415}
	if e.form {
		large, media = bad, bad // RFC 6749 §5.2
	}
	var attacks []attack
	add := func(name, body string, want []int, headers ...string) {
		attacks = append(attacks, attack{name, method, path, headers, body, want})
	}
	formHeader := []string{"Content-Type", "application/x-www-form-urlencoded"}
	for member, value := range e.body {
		pair := url.Values{member: {fmt.Sprint(value)}}.Encode()
		add("doubled parameter", pair+"&"+pair, bad, formHeader...)
		add("doubled parameter, escaped", pair+fmt.Sprintf("&%%%02x", member[0])+pair[1:], bad, formHeader...)
	}
	for name, body := range map[string]string{
		"broken escape": "client_id=%zz" + marker, "semicolons": "client_id=a;token=" + marker, "NUL": "client_id=%00" + marker,
		"newline": "client_id=%0d%0aSet-Cookie:" + marker, "invalid UTF-8": "client_id=%ff" + marker, "many": strings.Repeat("&a"+marker, 5000),
	} {
		add("form, "+name, body, bad, formHeader...)
	}
	add("form, large", "a="+strings.Repeat(marker, 20_000), large, formHeader...)
	add("form, no type", "a="+marker, media)
	nothing := []int{400, 403}
	if e.lacks != 0 {
		nothing = append(nothing, e.lacks)
	}
	add("form, JSON", encode(e.body), nothing, formHeader...)
	return append(attacks, attack{"in the URL only", method, path + "?" + formOf(e.body).Encode(), formHeader, "", nothing})
}

// formOf writes members as a form.
func formOf(body map[string]any) url.Values {
	form := url.Values{}
	for name, value := range body {
		form.Set(name, fmt.Sprint(value))
	}
	return form
}

// wantTrue: true is a good value for what is a boolean.
func wantTrue(value any) []int {
	if _, ok := value.(bool); ok {
		return []int{200, 201, 204, 400, 401, 403, 404, 409}
	}
	return []int{400}
}

// injections are texts that mean something to somebody: a database, a header, a log, a template, a file system, a
// terminal.
var injections = []string{
	"'; DROP TABLE sessions; --" + marker, "\" OR 1=1 --" + marker, "a\r\nSet-Cookie: x=" + marker, "\x00" + marker, "${jndi:ldap://" + marker + "}",
	"../../../../etc/" + marker, "<script>" + marker + "</script>", "%s%n%x" + marker, "\x1b[2J" + marker, "\xff" + marker, "\ufffe\U0010ffff" + marker, "\u202e" + marker, strings.Repeat(marker, 8000),
}

func injectionAttacks(method, path string, e endpoint) []attack {
	if e.body == nil {
		return nil
	}
	var attacks []attack
	for _, good := range append(e.others, e.body) {
		for member, value := range good {
			_, text := value.(string)
			if _, list := value.([]string); text || list {
				attacks = append(attacks, injectionsInto(member, good, method, path, e)...)
			}
		}
	}
	return attacks
}

func injectionsInto(member string, good map[string]any, method, path string, e endpoint) []attack {
	want := []int{400, 401, 403}
	if slices.Contains(e.harmless, member) {
		want = append(want, 200, 201, 204, 409)
	}
	if e.lacks != 0 {
		want = append(want, e.lacks)
	}
	if e.bearer == "admin" {
		want = append(want, 404, 409) // attacks on other routes delete and disable what this one names
	}
	var attacks []attack
	for _, injection := range injections {
		body := maps.Clone(good)
		body[member] = injection
		if _, list := good[member].([]string); list {
			body[member] = []string{injection}
		}
		if !e.page {
			attacks = append(attacks, attack{"injection into " + member, method, path, []string{"Content-Type", "application/json"}, encode(body), want})
		}
		if e.form || e.page {
			attacks = append(attacks, attack{"injection into " + member, method, path, []string{"Content-Type", "application/x-www-form-urlencoded"}, formOf(body).Encode(), want})
		}
	}
	return attacks
}

// addressAttacks are those by whoever has a credential on the rest of the address: its parameters in the path and in
// the query.
func addressAttacks(method, path string, e endpoint) []attack {
	var attacks []attack
	filled := parameters.Replace(path)
	add := func(name, path, body string, want ...int) {
		x := attack{name, method, path, nil, body, want}
		if body != "" {
			x.headers = []string{"Content-Type", "application/json"}
		}
		attacks = append(attacks, x)
	}
	before, after, found := strings.Cut(path, "{")
	_, after, _ = strings.Cut(after, "}")
	body := ""
	if e.body != nil {
		body = encode(e.body)
	}
	for _, injection := range injections {
		if found {
			add("injection into the path", before+url.PathEscape(injection+"?")+after, body, 400, 404)
		}
		if e.texts == nil {
			continue
		}
		add("injection into after", filled+"?after="+url.QueryEscape(injection), "", 400)
		for _, name := range e.texts {
			add("injection into "+name, filled+"?"+name+"="+url.QueryEscape(injection), "", 200, 400)
		}
	}
	attacks = append(attacks, queryAttacks(method, filled, e)...)
	if e.texts == nil {
		return attacks
	}
	for _, query := range []string{
		"limit=0", "limit=201", "limit=-1", "limit=+1", "limit=1e2", "limit=99999999999999999999", "limit=" + marker, "limit=1&limit=1", "after=" + marker, "after=a&after=a",
		marker, marker + "=1", "after=%zz", "limit=1;after=a", "Limit=1", "access_token=" + marker,
	} {
		add("query", filled+"?"+query, "", 400)
	}
	for _, name := range slices.Concat(e.texts, e.words) {
		add("doubled parameter", filled+"?"+name+"=true&"+name+"=true", "", 400)
	}
	for _, name := range e.words {
		add("word", filled+"?"+name+"="+marker, "", 400)
	}
	return attacks
}

// queryAttacks are those on what a route that isn't a list takes from its query.
func queryAttacks(method, path string, e endpoint) []attack {
	if e.query == "" {
		return nil
	}
	var attacks []attack
	add := func(name, query string, want ...int) {
		attacks = append(attacks, attack{name, method, path + "?" + query, nil, "", want})
	}
	for pair := range strings.SplitSeq(e.query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		add("doubled parameter", e.query+"&"+pair, 400)
		add("doubled parameter, escaped", e.query+fmt.Sprintf("&%%%02x", name[0])+pair[1:], 400)
		if name == "scope" {
			continue // what a proxy asks for comes back in the challenge (RFC 6750 §3): see internal/forward
		}
		for _, injection := range injections {
			good, err := url.ParseQuery(e.query)
			if err != nil {
				panic(err)
			}
			good.Set(name, injection)
			add("injection into "+name, good.Encode(), 400, 401, 404, 409, 307)
		}
	}
	add("broken escape", e.query+"&a=%zz"+marker, 400)
	add("semicolon", e.query+";"+marker, 400)
	add("nothing but a marker", marker, 400)
	return attacks
}

// routeAttacks are those on the way to a route: its method, its path and its credentials.
func routeAttacks(method, path string, e endpoint) []attack {
	var attacks []attack
	for _, other := range []string{"GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", marker} {
		if other == method || routed(other, path) {
			continue
		}
		attacks = append(attacks, attack{"method", other, path, nil, "", []int{405}})
		attacks = append(attacks, attack{"overridden method", other, path + "?_method=" + method, []string{
			"X-HTTP-Method-Override", method, "X-HTTP-Method", method, "X-Method-Override", method, "Content-Type", "application/x-www-form-urlencoded",
		}, "_method=" + method, []int{405}})
	}
	first, rest, _ := strings.Cut(path[1:], "/")
	tricks := []string{
		"/" + path, path + "/", path + "//", path + "/.", path + "/..;/", "/." + path, "/x/.." + path, "/x/%2e%2e" + path, "/%2e" + path, "/" + first + "//" + rest,
		"/" + first + "/./" + rest, "/" + first + "%2f" + rest, "/" + first + "/" + marker + "/../" + rest, path + ";" + marker, path + "%00", path + "%20", path + "." + marker,
		path + "%2f", path + "%3f", `/\` + path, strings.ToUpper(path), "/%5c" + path, "//" + marker + ".example" + path, path + "/" + marker,
	}
	for _, trick := range tricks {
		attacks = append(attacks, attack{"path", method, trick, nil, "", []int{404}})
	}
	return append(attacks, credentialAttacks(method, path, e)...)
}

func credentialAttacks(method, path string, e endpoint) []attack {
	if e.bearer == "" {
		return nil
	}
	var attacks []attack
	if e.query != "" {
		path += "?" + e.query
	}
	for name, headers := range map[string][]string{
		"none": nil, "basic": {"Authorization", "Basic " + marker}, "wrong": {"Authorization", "Bearer " + marker},
		"1 MiB": {"Authorization", "Bearer " + strings.Repeat("a", 60_000)}, "another header": {"X-Authorization", "Bearer " + marker}, "proxy": {"Proxy-Authorization", "Bearer " + marker},
		"user of a proxy": {"X-Forwarded-User", "ada", "X-Remote-User", "ada", "X-Jot-Subject", "ada"}, "original URL": {"X-Original-URL", "/healthz", "X-Rewrite-URL", "/healthz"},
	} {
		attacks = append(attacks, attack{"credential: " + name, method, path, headers, "", []int{401}})
	}
	for name, headers := range map[string][]string{
		"two": {"Authorization", "Bearer a" + marker, "Authorization", "Bearer b" + marker}, "two in one": {"Authorization", "Bearer a, Bearer b" + marker},
		"empty": {"Authorization", "Bearer"}, "no scheme": {"Authorization", marker},
	} {
		attacks = append(attacks, attack{"credential: " + name, method, path, headers, "", []int{400}})
	}
	in := path + "?access_token=" + marker
	if e.query != "" {
		in = path + "&access_token=" + marker
	}
	attacks = append(attacks, attack{"credential in the URL", method, in, nil, "", []int{401}})
	if e.body != nil {
		attacks = append(attacks, attack{"no credential, and a body that nobody should read", method, path, []string{"Content-Type", "text/" + marker}, strings.Repeat(marker, 20_000), []int{401}})
	}
	return attacks
}

// served is a mux with every route of surface.
var served = func() *http.ServeMux {
	mux := http.NewServeMux()
	for route := range surface {
		mux.Handle(route, http.NotFoundHandler())
	}
	return mux
}()

// routed reports whether there is a route for a method and a path.
func routed(method, path string) bool {
	_, pattern := served.Handler(&http.Request{Method: method, Host: "a", URL: &url.URL{Path: path}})
	return pattern != ""
}

// hasSiblings reports whether another route has a parameter where the path ends or goes on.
func hasSiblings(path string) bool {
	parent := path[:strings.LastIndex(path, "/")]
	for route := range surface {
		if strings.Contains(route, " "+path+"/{") || strings.Contains(route, " "+parent+"/{") {
			return true
		}
	}
	return false
}

func encode(v any) string {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(v); err != nil {
		panic(err)
	}
	return strings.TrimSpace(b.String())
}
