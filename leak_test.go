package jot_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"fmt"
	"log/slog"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// privateMembers are the members of a JWK that nobody but the owner may see.
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "k", "priv"}

// secretsOf returns the secret parts of an exported key, in the spellings that a careless path would write them in.
func secretsOf(t *testing.T, exported []byte) (spellings []string) {
	t.Helper()
	var members map[string]string
	if err := json.Unmarshal(exported, &members); err != nil {
		t.Fatal(err)
	}
	for _, name := range privateMembers {
		if members[name] == "" {
			continue
		}
		secret, err := base64.RawURLEncoding.DecodeString(members[name])
		if err != nil {
			t.Fatal(err)
		}
		decimal := strings.Trim(fmt.Sprint(secret[:8]), "[]")
		spellings = append(spellings, members[name], string(secret), hex.EncodeToString(secret), base64.StdEncoding.EncodeToString(secret), decimal)
	}
	if len(spellings) == 0 {
		t.Fatal("an exported key without a private member")
	}
	return spellings
}

func contains(text string, secrets []string) bool {
	text = strings.ToLower(text)
	for _, secret := range secrets {
		if strings.Contains(text, strings.ToLower(secret)) {
			return true
		}
	}
	return false
}

type exporter interface {
	KeyID() string
	ExportJWK() ([]byte, error)
}

// secretKeys has a key of every family, so of every kind of private material.
func secretKeys(t *testing.T) map[jot.Algorithm]exporter {
	return map[jot.Algorithm]exporter{
		jot.HS256: generateSecret(t), jot.RS256: newPrivate(t, jot.RS256), jot.ES512: newPrivate(t, jot.ES512), jot.EdDSA: newPrivate(t, jot.EdDSA),
	}
}

func TestPrivateMaterialIsNotPrinted(t *testing.T) {
	for alg, key := range secretKeys(t) {
		exported, err := key.ExportJWK()
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		held := []any{key, struct{ Key any }{key}, []any{key}, map[string]any{"key": key}}
		switch k := key.(type) {
		case *jot.PrivateKey:
			held = append(held, *k, struct{ key jot.PrivateKey }{*k}, struct{ key *jot.PrivateKey }{k})
		case *jot.SecretKey:
			set := jot.NewSecretKeySet(k)
			held = append(held, *k, struct{ key jot.SecretKey }{*k}, struct{ key *jot.SecretKey }{k}, set, *set)
		}
		signer, err := jot.NewSigner(key.(jot.SigningKey), jot.SignerOptions{})
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, signer, *signer)
		for _, value := range held {
			lookInto(&out, reflect.ValueOf(value), 0)
		}
		logger := slog.New(slog.NewTextHandler(&out, nil))
		logger.Info("keys", "pointer", key)
		for _, value := range held {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%X", "%d", "%q", "%o", "%b", "%c", "%U", "%e", "%t"} {
				fmt.Fprintf(&out, verb+"\n", value)
			}
			logger.Info("keys", "value", value)
			slog.New(slog.NewJSONHandler(&out, nil)).Info("keys", "value", value)
		}
		if contains(out.String(), secretsOf(t, exported)) {
			t.Errorf("%s: key material in %s", alg, out.String())
		}
		if text := fmt.Sprintf("%x", key); !strings.HasPrefix(text, string(alg)+" ") || !strings.Contains(text, strconv.Quote(key.KeyID())) {
			t.Errorf("%s is described as %s", alg, text)
		}
	}
}

// A token that was only taken apart is as good as ever, and whatever else was, such as a refresh token, too: neither is
// printed by accident.
func TestUnverifiedIsNotPrinted(t *testing.T) {
	raw := sign(t, generate(t, jot.ES256), jot.SignerOptions{}, map[string]any{"sub": "ada of the claims"})
	for text, want := range map[string]string{
		raw:                               "unverified token with the header `" + string(jot.Inspect(raw).Header.Decoded) + "`",
		"jrt_" + raw[len(raw)-80:]:        "unverified token",
		raw + "." + raw:                   "unverified token with the header `" + string(jot.Inspect(raw).Header.Decoded) + "`",
		strings.Repeat(raw, 200) + ".x.y": "unverified token",
		"":                                "unverified token",
	} {
		u := jot.Inspect(text)
		var out bytes.Buffer
		for _, value := range []any{u, *u, struct{ Token any }{u}, []any{*u}, map[string]any{"token": u}} {
			for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%q", "%d"} {
				fmt.Fprintf(&out, verb+"\n", value)
			}
		}
		slog.New(slog.NewTextHandler(&out, nil)).Info("refused", "pointer", u, "value", *u)
		slog.New(slog.NewJSONHandler(&out, nil)).Info("refused", "pointer", u, "value", *u)
		secrets := []string{"ada of the claims", base64.RawURLEncoding.EncodeToString([]byte("ada of the claims"))[4:16], "jrt_"}
		for _, part := range []jot.Part{u.Payload, u.Signature} {
			if part.Encoded != "" {
				secrets = append(secrets, part.Encoded, hex.EncodeToString([]byte(part.Encoded)), strings.Trim(fmt.Sprint(part.Decoded), "[]"), fmt.Sprintf("%x", part.Decoded))
			}
		}
		if contains(out.String(), secrets) {
			t.Errorf("%.20q: printed as %s", text, out.String())
		}
		if got := fmt.Sprint(u); got != want {
			t.Errorf("%.20q: printed as %s, want %s", text, got, want)
		}
	}
}

// lookInto writes everything that is to be had by reflection, exported or not, as printers for debugging do.
func lookInto(out *bytes.Buffer, v reflect.Value, depth int) {
	if depth > 20 {
		return
	}
	switch v.Kind() {
	case reflect.Pointer, reflect.Interface:
		if !v.IsNil() {
			lookInto(out, v.Elem(), depth+1)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			lookInto(out, v.Field(i), depth+1)
		}
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			switch v.Type().Elem().Kind() {
			case reflect.Uint8:
				fmt.Fprintf(out, "%02x", v.Index(i).Uint())
			case reflect.Uint, reflect.Uint64: // words of a number, the lowest first
				fmt.Fprintf(out, "%016x", v.Index(v.Len()-1-i).Uint())
			default:
				lookInto(out, v.Index(i), depth+1)
			}
		}
	case reflect.String:
		fmt.Fprintln(out, v.String())
	}
}

func TestPrivateMaterialIsNotEncoded(t *testing.T) {
	for alg, key := range secretKeys(t) {
		exported, _ := key.ExportJWK()
		secrets := secretsOf(t, exported)
		values := []any{key, map[string]any{"key": key}}
		switch k := key.(type) {
		case *jot.PrivateKey:
			values = append(values, *k, struct{ Key jot.PrivateKey }{*k})
		case *jot.SecretKey:
			set := jot.NewSecretKeySet(k)
			values = append(values, *k, struct{ Key jot.SecretKey }{*k}, set, *set)
		}
		for _, value := range values {
			if written, err := json.Marshal(value); err == nil {
				t.Errorf("%s: written as JSON by accident: %s", alg, written)
			} else if contains(err.Error(), secrets) {
				t.Errorf("%s: %v", alg, err)
			}
			var out bytes.Buffer
			gob.NewEncoder(&out).Encode(value)
			xml.NewEncoder(&out).Encode(value)
			if contains(out.String(), secrets) {
				t.Errorf("%s: written by accident: %q", alg, out.String())
			}
		}
		if private, ok := key.(*jot.PrivateKey); ok {
			public, err := json.Marshal(map[string]any{"key": private.Public(), "set": jot.NewKeySet(private.Public())})
			if err != nil || contains(string(public), secrets) {
				t.Errorf("%s: the public part is %s, %v", alg, public, err)
			}
			if text, err := private.Public().ExportPEM(); err != nil || contains(string(text), secrets) {
				t.Errorf("%s: the public part is %s, %v", alg, text, err)
			}
		}
	}
}

// Where a public key is expected, a private one is refused by every parser, and no error quotes it.
func TestPrivateMaterialIsNotReadAsPublic(t *testing.T) {
	for alg, key := range secretKeys(t) {
		exported, _ := key.ExportJWK()
		secrets := secretsOf(t, exported)
		o := jot.ParseOptions{Algorithm: alg}
		texts := [][]byte{exported}
		if private, ok := key.(*jot.PrivateKey); ok {
			text, err := private.ExportPEM()
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		for _, text := range texts {
			if public, err := jot.ParsePublicKey(text, o); err == nil || public != nil || contains(err.Error(), secrets) {
				t.Errorf("%s: ParsePublicKey: %v, %v", alg, public, err)
			}
		}
		var public jot.PublicKey
		if err := json.Unmarshal(exported, &public); err == nil || contains(err.Error(), secrets) {
			t.Errorf("%s: UnmarshalJSON of a key: %v, %v", alg, public, err)
		}
		document := []byte(`{"keys":[` + string(exported) + `]}`)
		var unmarshalled jot.KeySet
		if err := json.Unmarshal(document, &unmarshalled); err != nil {
			t.Fatal(err)
		}
		parsed, err := jot.ParseKeySet(document, o)
		if err != nil {
			t.Fatal(err)
		}
		for _, set := range []*jot.KeySet{parsed, &unmarshalled} {
			written, _ := json.Marshal(set)
			if len(set.Keys()) != 0 || len(set.Skipped()) != 1 || contains(set.Skipped()[0].Reason, secrets) || contains(string(written), secrets) {
				t.Errorf("%s: a set of %v, skipped %v, written as %s", alg, set.Keys(), set.Skipped(), written)
			}
		}
	}
}

// A single private member beside a public key is enough, even one that says nothing.
func TestOnePrivateMemberIsEnough(t *testing.T) {
	for _, member := range append(privateMembers, "oth") {
		for _, value := range []string{`"AA"`, `[]`, `null`, `""`} {
			text := `{` + p256JWK + `,"alg":"ES256","` + member + `":` + value + `}`
			if key, err := jot.ParsePublicKey([]byte(text), jot.ParseOptions{}); err == nil {
				t.Errorf("%q of %s: %v", member, value, key)
			}
		}
	}
}

// A broken private key is refused without quoting what is broken.
func TestErrorsDoNotQuotePrivateMaterial(t *testing.T) {
	for alg, key := range secretKeys(t) {
		exported, _ := key.ExportJWK()
		var members map[string]string
		json.Unmarshal(exported, &members)
		for _, name := range privateMembers {
			if members[name] == "" {
				continue
			}
			for _, broken := range []string{members[name][4:], members[name] + "=", members[name] + "AAAA", "!" + members[name]} {
				changed, _ := json.Marshal(broken)
				text := strings.Replace(string(exported), `"`+name+`":"`+members[name]+`"`, `"`+name+`":`+string(changed), 1)
				_, err := jot.ParsePrivateKey([]byte(text), jot.ParseOptions{})
				if alg.Symmetric() {
					_, err = jot.ParseSecretKey([]byte(text), jot.ParseOptions{})
				}
				if err != nil && contains(err.Error(), []string{members[name][4:20]}) {
					t.Errorf("%s: %v", alg, err)
				}
				if err == nil && !alg.Symmetric() {
					t.Errorf("%s: a broken %q was accepted", alg, name)
				}
			}
		}
	}
}
