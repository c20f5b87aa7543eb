package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jot-auth/jot/strictjson"
	"github.com/spf13/cobra"
)

// readClaims gathers the claims of the file and the flags.
func (f signFlags) readClaims(cmd *cobra.Command) (map[string]json.RawMessage, error) {
	claims := map[string]json.RawMessage{}
	if f.claimsFile != "" {
		data, err := readInput(cmd, f.claimsFile, "claims", maxInput)
		if err != nil {
			return nil, err
		}
		if err := strictjson.Unmarshal(data, &claims); err != nil || claims == nil {
			return nil, fmt.Errorf("%s: the claims are not a JSON object: %w", f.claimsFile, notObject(data, err))
		}
	}
	for _, text := range f.claims {
		name, value, err := parseClaim(text)
		if err != nil {
			return nil, err
		}
		if _, taken := claims[name]; taken {
			return nil, usagef("claim %q is given twice", name)
		}
		claims[name] = value
	}
	return claims, nil
}

// notObject says what a text is instead, if it is JSON at all.
func notObject(data []byte, failed error) error {
	if err := strictjson.Valid(data); err != nil {
		return err
	}
	kind := map[byte]string{'[': "an array", '"': "a string", 't': "true", 'f': "false", 'n': "null"}[bytes.TrimSpace(data)[0]]
	switch {
	case bytes.HasPrefix(bytes.TrimSpace(data), []byte("{")):
		return failed
	case kind == "":
		kind = "a number"
	}
	return fmt.Errorf(`it is %s: write {"sub":"alice"}, or sign it as it is with --payload`, kind)
}

// dateClaims are numbers wherever they are defined (RFC 7519 §4.1, OpenID Connect Core §2).
var dateClaims = map[string]bool{"exp": true, "nbf": true, "iat": true, "auth_time": true}

// parseClaim reads NAME=VALUE, a string, or NAME:=JSON.
func parseClaim(text string) (name string, value json.RawMessage, err error) {
	name, value, isJSON, err := parseMember("a claim", text)
	if err == nil && !isJSON && dateClaims[name] {
		return "", nil, usagef("claim %q is a number, in Unix seconds: write %s:=…", name, name)
	}
	return name, value, err
}

// parseMember reads a member of an object as a flag states it. What says which kind that is.
func parseMember(what, text string) (name string, value json.RawMessage, isJSON bool, err error) {
	name, content, found := strings.Cut(text, "=")
	name, isJSON = strings.CutSuffix(name, ":")
	noun := what[strings.Index(what, " ")+1:]
	switch {
	case !found || name == "":
		return "", nil, false, usagef("%s is NAME=VALUE or NAME:=JSON", what)
	case !utf8.ValidString(text):
		return "", nil, false, usagef("%s %q is not UTF-8", noun, name)
	case isJSON:
		if err := strictjson.Valid([]byte(content)); err != nil {
			advice := "for a string write " + name + "=…"
			if looksLikeJSON(content) {
				advice = fmt.Sprintf("the shell takes double quotes away: write '%s:=…'", name)
			}
			return "", nil, true, usagef("%s %q: not JSON: %w; %s", noun, name, err, advice)
		}
		return name, json.RawMessage(content), true, nil
	case looksLikeJSON(content):
		return "", nil, false, usagef(`%s %q looks like JSON: write that as %s:=…, and what is meant as text as '%s:="…"'`, noun, name, name, name)
	}
	value, err = encodeJSON(content)
	return name, value, false, err
}

// looksLikeJSON reports whether a text is hardly meant as one. A number may be, such as a subject that is one.
func looksLikeJSON(text string) bool {
	switch text {
	case "true", "false", "null":
		return true
	}
	return strings.HasPrefix(text, "[") || strings.HasPrefix(text, "{")
}

// addTimes states when the token was issued and when it expires, where the claims don't.
func (f signFlags) addTimes(claims map[string]json.RawMessage, asked bool, now time.Time) error {
	_, stated := claims["exp"]
	if stated && asked {
		return usagef("exp is given twice: by --exp and by the claims")
	}
	if !stated {
		claims["exp"] = fmt.Appendf(nil, "%d", now.Add(f.lifetime).Unix())
	}
	if _, stated := claims["iat"]; !stated {
		claims["iat"] = fmt.Appendf(nil, "%d", now.Unix())
	}
	return nil
}

// encodeClaims writes the payload and holds it against what a verifier accepts: names that differ in case only, given
// one in the file and one in a flag, would be refused there.
func encodeClaims(claims map[string]json.RawMessage) (json.RawMessage, error) {
	payload, err := encodeJSON(claims)
	if err != nil {
		return nil, err
	}
	if err := strictjson.Valid(payload); err != nil {
		return nil, usagef("no verifier would accept these claims: %w", err)
	}
	return payload, nil
}
