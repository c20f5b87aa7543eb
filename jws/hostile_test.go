package jws_test

import (
	"bytes"
	"fmt"
	"maps"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// sealed are a payload and good signatures over it, which hostile messages are made of.
type sealed struct {
	t       *testing.T
	key     jot.SigningKey
	payload string // encoded
	good    forged
}

func seal(t *testing.T, key jot.SigningKey) sealed {
	payload := encode(order)
	return sealed{t, key, payload, forge(t, key, `{"alg":"HS256","typ":"order+json"}`, "", payload)}
}

// header is a message with this header, whose signature holds.
func (s sealed) header(protected string) string {
	return forge(s.t, s.key, protected, "", s.payload).compact(s.payload)
}

// beside is a message with these two headers, whose signature holds.
func (s sealed) beside(protected, unprotected string) string {
	return forge(s.t, s.key, protected, unprotected, s.payload).flattened(s.payload)
}

// hostileHeaders are messages that the key signed, and that no verifier of orders should accept for what their header
// says.
func hostileHeaders(t *testing.T, key jot.SigningKey) map[string]string {
	s := seal(t, key)
	header, beside := s.header, s.beside
	return map[string]string{
		"header that is no object":              header(`["alg"]`),
		"header that is null":                   header(`null`),
		"header that is no JSON":                header(`{"alg":"HS256"`),
		"header with something behind":          header(`{"alg":"HS256","typ":"order+json"}{}`),
		"header with alg twice":                 header(`{"alg":"HS256","alg":"HS256","typ":"order+json"}`),
		"header with alg and ALG":               header(`{"alg":"HS256","ALG":"none","typ":"order+json"}`),
		"header with invalid UTF-8":             header("{\"alg\":\"HS256\",\"x\":\"\xff\",\"typ\":\"order+json\"}"),
		"header with half a surrogate":          header(`{"alg":"HS256","x":"\ud800","typ":"order+json"}`),
		"header nested deeply":                  header(`{"alg":"HS256","typ":"order+json","x":` + strings.Repeat("[", 4000) + strings.Repeat("]", 4000) + `}`),
		"header without alg":                    header(`{"typ":"order+json"}`),
		"alg that is empty":                     header(`{"alg":"","typ":"order+json"}`),
		"alg that is a list":                    header(`{"alg":["HS256"],"typ":"order+json"}`),
		"kid that is a number":                  header(`{"alg":"HS256","kid":1,"typ":"order+json"}`),
		"typ that is null":                      header(`{"alg":"HS256","typ":null}`),
		"cty that is a boolean":                 header(`{"alg":"HS256","typ":"order+json","cty":true}`),
		"crit that is empty":                    header(`{"alg":"HS256","typ":"order+json","crit":[]}`),
		"crit that is a text":                   header(`{"alg":"HS256","typ":"order+json","crit":"urgent","urgent":1}`),
		"crit that is null":                     header(`{"alg":"HS256","typ":"order+json","crit":null}`),
		"crit with a number":                    header(`{"alg":"HS256","typ":"order+json","crit":["urgent",1],"urgent":1}`),
		"crit with an absent name":              header(`{"alg":"HS256","typ":"order+json","crit":["urgent"]}`),
		"crit with a name in another case":      header(`{"alg":"HS256","typ":"order+json","crit":["urgent"],"Urgent":1}`),
		"crit with a name twice":                header(`{"alg":"HS256","typ":"order+json","crit":["urgent","urgent"],"urgent":1}`),
		"crit with a registered name":           header(`{"alg":"HS256","typ":"order+json","crit":["alg"]}`),
		"crit with itself":                      header(`{"alg":"HS256","typ":"order+json","crit":["crit"]}`),
		"crit with an unknown name":             header(`{"alg":"HS256","typ":"order+json","crit":["urgent","other"],"urgent":1,"other":2}`),
		"crit with b64 that isn't there":        header(`{"alg":"HS256","typ":"order+json","crit":["b64"]}`),
		"crit with b64, unexpected":             header(`{"alg":"HS256","typ":"order+json","crit":["b64"],"b64":true}`),
		"b64 without crit":                      header(`{"alg":"HS256","typ":"order+json","b64":true}`),
		"b64 false without crit":                header(`{"alg":"HS256","typ":"order+json","b64":false}`),
		"b64 that is a text":                    header(`{"alg":"HS256","typ":"order+json","b64":"true","crit":["b64"]}`),
		"b64 false with an encoded payload":     header(`{"alg":"HS256","typ":"order+json","b64":false,"crit":["b64"]}`),
		"crit that is not protected":            beside(`{"alg":"HS256","typ":"order+json"}`, `{"crit":["urgent"],"urgent":1}`),
		"critical member that is not protected": beside(`{"alg":"HS256","typ":"order+json","crit":["urgent"]}`, `{"urgent":1}`),
		"b64 that is not protected":             beside(`{"alg":"HS256","typ":"order+json"}`, `{"b64":true}`),
		"alg in both headers":                   beside(`{"alg":"HS256","typ":"order+json"}`, `{"alg":"HS256"}`),
		"name in both headers":                  beside(`{"alg":"HS256","typ":"order+json","x":1}`, `{"x":1}`),
		"name in both headers, in another case": beside(`{"alg":"HS256","typ":"order+json","kid":""}`, `{"Kid":""}`),
		"header with 33 members":                header(`{"alg":"HS256","typ":"order+json"` + manyMembers(31) + `}`),
		"33 members that are not protected":     beside(`{"alg":"HS256","typ":"order+json"}`, `{"kid":""`+manyMembers(32)+`}`),
		"another type":                          header(`{"alg":"HS256","typ":"JWT"}`),
		"no type":                               header(`{"alg":"HS256"}`),
		"type that is not protected":            beside(`{"alg":"HS256"}`, `{"typ":"order+json"}`),
		"type with a long s":                    header(`{"alg":"HS256","typ":"order+jſon"}`),
		"another algorithm":                     header(`{"alg":"HS512","typ":"order+json"}`),
		"algorithm in another case":             header(`{"alg":"hs256","typ":"order+json"}`),
		"no algorithm at all":                   header(`{"alg":"none","typ":"order+json"}`),
		"algorithm of a public key":             header(`{"alg":"RS256","typ":"order+json"}`),
		"a key ID that nobody knows":            header(`{"alg":"HS256","kid":"other","typ":"order+json"}`),
		"an unprotected one that nobody knows":  beside(`{"alg":"HS256","typ":"order+json"}`, `{"kid":"other"}`),
		"a good signature and a wrong crit":     general(s.payload, s.good, forge(t, key, `{"alg":"HS256","crit":["alg"]}`, "", s.payload)),
	}
}

// hostileForms are messages that the key signed, and that no verifier should accept for the way they're written.
func hostileForms(t *testing.T, key jot.SigningKey) map[string]string {
	s := seal(t, key)
	payload, good, header, beside := s.payload, s.good, s.header, s.beside
	flattened, several := good.flattened(payload), general(payload, good)
	return map[string]string{
		"nothing":                                "",
		"a space":                                " ",
		"two parts":                              good.protected + "." + payload,
		"four parts":                             good.compact(payload) + ".",
		"five parts, as of a JWE":                good.compact(payload) + "..",
		"empty parts":                            "..",
		"no header":                              "." + payload + "." + good.signature,
		"white space before the compact form":    " " + good.compact(payload),
		"line break after the compact form":      good.compact(payload) + "\n",
		"padded payload":                         good.compact(payload + "="),
		"payload with a line break":              good.compact(payload[:4] + "\n" + payload[4:]),
		"payload with stray bits":                forge(t, key, `{"alg":"HS256","typ":"order+json"}`, "", "QR").compact("QR"),
		"signature with stray bits":              forged{good.protected, "", strayBits(good.signature)}.compact(payload),
		"signature that is padded":               good.compact(payload) + "=",
		"header that is padded":                  good.protected + "=." + payload + "." + good.signature,
		"unprotected header that is no object":   beside(`{"alg":"HS256","typ":"order+json"}`, `[]`),
		"unprotected header that is null":        beside(`{"alg":"HS256","typ":"order+json"}`, `null`),
		"unprotected kid that is a number":       beside(`{"alg":"HS256","typ":"order+json"}`, `{"kid":1}`),
		"JSON that ends early":                   flattened[:len(flattened)-1],
		"JSON with something behind":             flattened + "{}",
		"JSON in an array":                       "[" + flattened + "]",
		"payload twice":                          strings.Replace(flattened, `{`, `{"payload":"`+payload+`",`, 1),
		"payload and Payload":                    strings.Replace(flattened, `{`, `{"Payload":"`+payload+`",`, 1),
		"payload that is an object":              strings.Replace(flattened, quote(payload), order, 1),
		"payload that is a number":               strings.Replace(forge(t, key, `{"alg":"HS256","typ":"order+json"}`, "", "").flattened("PAYLOAD"), `"PAYLOAD"`, "17", 1),
		"payload that is null":                   strings.Replace(flattened, quote(payload), "null", 1),
		"payload in another case":                strings.Replace(flattened, "payload", "Payload", 1),
		"no payload":                             "{" + good.members() + "}",
		"no signature":                           `{"payload":` + quote(payload) + `,"protected":` + quote(good.protected) + `}`,
		"signature that is null":                 `{"payload":` + quote(payload) + `,"protected":` + quote(good.protected) + `,"signature":null}`,
		"protected that is empty":                `{"payload":` + quote(payload) + `,"protected":"","header":{"alg":"HS256"},"signature":` + quote(good.signature) + `}`,
		"protected that is an object":            `{"payload":` + quote(payload) + `,"protected":{"alg":"HS256"},"signature":` + quote(good.signature) + `}`,
		"signature and signatures":               strings.Replace(several, `{`, `{"signature":`+quote(good.signature)+`,`, 1),
		"protected and signatures":               strings.Replace(several, `{`, `{"protected":`+quote(good.protected)+`,`, 1),
		"header and signatures":                  strings.Replace(several, `{`, `{"header":{},`, 1),
		"signatures that are empty":              general(payload),
		"signatures that are null":               `{"payload":` + quote(payload) + `,"signatures":null}`,
		"signatures that are an object":          `{"payload":` + quote(payload) + `,"signatures":{` + good.members() + `}}`,
		"signatures with a text":                 `{"payload":` + quote(payload) + `,"signatures":["` + good.compact("") + `"]}`,
		"a good signature and a broken one":      general(payload, good, forged{good.protected, "", "="}),
		"signatures that differ in b64":          general(payload, good, forge(t, key, `{"alg":"HS256","typ":"order+json","b64":false,"crit":["b64"]}`, "", payload)),
		"message with 33 members":                strings.TrimSuffix(flattened, "}") + manyMembers(30) + "}",
		"17 signatures":                          general(payload, times(good, 17)...),
		"unprotected header of more than 16 KiB": beside(`{"alg":"HS256","typ":"order+json"}`, `{"x":"`+strings.Repeat("x", 16<<10)+`"}`),
		"protected header of more than 16 KiB":   header(`{"alg":"HS256","typ":"order+json","x":"` + strings.Repeat("x", 16<<10) + `"}`),
	}
}

// manyMembers go behind others in an object.
func manyMembers(count int) string {
	var text strings.Builder
	for n := range count {
		fmt.Fprintf(&text, `,"x%d":0`, n)
	}
	return text.String()
}

// strayBits is another spelling of 32 bytes in base64url, for a lax decoder.
func strayBits(encoded string) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(encoded) - 1
	return encoded[:last] + alphabet[strings.IndexByte(alphabet, encoded[last])+1:][:1]
}

func times(s forged, count int) (all []forged) {
	for range count {
		all = append(all, s)
	}
	return all
}

func TestVerifyRefuses(t *testing.T) {
	key, source := generate(t, jot.HS256)
	verifier := newVerifier(t, jws.VerifierOptions{Type: orders, Critical: []string{"urgent"}}, source)
	messages := hostileForms(t, key)
	maps.Copy(messages, hostileHeaders(t, key))
	for name, text := range messages {
		t.Run(name, func(t *testing.T) {
			message, err := verifier.Verify(t.Context(), []byte(text))
			refused(t, message, err, jot.ErrInvalidToken)
			if err != nil && len(text) > 40 && strings.Contains(err.Error(), text[20:40]) {
				t.Errorf("the error quotes the message: %v", err)
			}
		})
	}
}

// What the hostile messages differ from is accepted.
func TestVerifyAccepts(t *testing.T) {
	key, source := generate(t, jot.HS256)
	verifier := newVerifier(t, jws.VerifierOptions{Type: orders, Critical: []string{"urgent"}}, source)
	payload := encode(order)
	good := forge(t, key, `{"alg":"HS256","typ":"order+json"}`, "", payload)
	for name, text := range map[string]string{
		"compact":                     good.compact(payload),
		"flattened":                   good.flattened(payload),
		"general":                     general(payload, good),
		"16 signatures":               general(payload, times(good, 16)...),
		"white space around the JSON": " \r\n\t" + good.flattened(payload) + "\n",
		"other members":               strings.Replace(good.flattened(payload), "{", `{"comment":[1],`, 1),
		"empty unprotected header":    forged{good.protected, "{}", good.signature}.flattened(payload),
		"key ID, unprotected":         forged{good.protected, `{"kid":` + quote(key.KeyID()) + `}`, good.signature}.flattened(payload),
		"long media type":             forge(t, key, `{"alg":"HS256","typ":"Application/Order+JSON"}`, "", payload).compact(payload),
		"white space in the header":   forge(t, key, "\n{ \"alg\" :\"HS256\",\"typ\":\"order+json\" }\r\n", "", payload).compact(payload),
		"extension that is understood": forge(t, key, `{"alg":"HS256","typ":"order+json","crit":["urgent"],"urgent":false}`, "", payload).
			compact(payload),
		"keys brought along": forge(t, key, `{"alg":"HS256","typ":"order+json","jwk":{"kty":"oct","k":"AA"},"jku":"https://evil.example","x5c":["AA"]}`,
			"", payload).compact(payload),
		"signatures of other kinds beside it": general(payload,
			forge(t, key, `{"alg":"none"}`, "", payload), forge(t, key, `{"alg":"XX1","crit":["later"],"later":1}`, "", payload),
			forged{"", `{"alg":"HS256"}`, good.signature}, forge(t, key, `{"alg":"HS256","typ":"JWT"}`, "", payload), good),
	} {
		t.Run(name, func(t *testing.T) {
			message, err := verifier.Verify(t.Context(), []byte(text))
			if err != nil || !payloadIs(message, order) || len(message.Signatures()) != 1 {
				t.Fatalf("%v, %v", message, err)
			}
		})
	}
}

// What a verifier that expects unencoded payloads still refuses.
func TestUnencodedRefuses(t *testing.T) {
	key, source := generate(t, jot.HS256)
	verifier := newVerifier(t, jws.VerifierOptions{AnyType: true, Unencoded: true}, source)
	const unencoded = `{"alg":"HS256","b64":false,"crit":["b64"]}`
	compact := func(payload string) string { return forge(t, key, unencoded, "", payload).compact(payload) }
	encoded := encode(order)
	for name, text := range map[string]string{
		"dot in compact form":             compact("$.02"),
		"line break in compact form":      compact("a\nb"),
		"character beyond ASCII":          compact("\u20ac"),
		"delete character":                compact("\x7f"),
		"JWT":                             forge(t, key, `{"alg":"HS256","typ":"JWT","b64":false,"crit":["b64"]}`, "", "{}").compact("{}"),
		"access token":                    forge(t, key, `{"alg":"HS256","typ":"application/at+JWT","b64":false,"crit":["b64"]}`, "", "{}").compact("{}"),
		"without crit":                    forge(t, key, `{"alg":"HS256","b64":false}`, "", "{}").compact("{}"),
		"encoded, passed off as it is":    forge(t, key, unencoded, "", order).flattened(encoded),
		"as it is, passed off as encoded": forge(t, key, `{"alg":"HS256"}`, "", "AAAA").flattened("\x00\x00\x00"),
		"b64 that is a text":              forge(t, key, `{"alg":"HS256","b64":"false","crit":["b64"]}`, "", "{}").compact("{}"),
		"half a surrogate":                strings.Replace(forge(t, key, unencoded, "", "\ufffd").flattened("\ufffd"), "\ufffd", `\ud800`, 1),
	} {
		t.Run(name, func(t *testing.T) {
			message, err := verifier.Verify(t.Context(), []byte(text))
			refused(t, message, err, jot.ErrInvalidToken)
		})
	}
	for name, text := range map[string]string{
		"compact":         compact("plain, printable ASCII: ~!"),
		"escapes in JSON": strings.Replace(forge(t, key, unencoded, "", "$.02").flattened("$.02"), "$.02", `\u0024.0\u0032`, 1),
		"b64 true":        forge(t, key, `{"alg":"HS256","b64":true,"crit":["b64"]}`, "", encoded).compact(encoded),
		"no b64":          forge(t, key, `{"alg":"HS256"}`, "", encoded).compact(encoded),
	} {
		if _, err := verifier.Verify(t.Context(), []byte(text)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// Whichever character of a message is altered, it's refused, or it's the same message written otherwise.
func TestTampering(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.HS256, jot.ES256, jot.EdDSA} {
		key, source := generate(t, alg)
		verifier := newVerifier(t, acceptsOrders, source)
		signer := newSigner(t, ofOrders, key)
		for _, original := range [][]byte{sign(t, signer, order), signJSON(t, signer, order)} {
			want, err := verifier.Verify(t.Context(), original)
			if err != nil {
				t.Fatal(err)
			}
			for i := range original {
				tampered := bytes.Clone(original)
				tampered[i] ^= 1
				message, err := verifier.Verify(t.Context(), tampered)
				if message != nil {
					t.Errorf("%s: %q was taken for %q: %q instead of %q", alg, tampered, original, message.Payload(), want.Payload())
				}
				refused(t, message, err, jot.ErrInvalidToken)
			}
		}
	}
}
