package jot_test

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/strictjson"
)

// acceptable is a header and a payload that the policy of strict accepts, without their closing braces.
const (
	acceptableHeader  = `{"alg":"HS256"`
	acceptablePayload = `{"iss":"https://auth.example.com","aud":"petstore","exp":1795349700`
)

// checkRefused verifies a token whose one fault the caller knows, by a verifier that has met nothing yet and by one
// that remembers the header of a good token.
func checkRefused(t *testing.T, key *jot.SecretKey, raw string, want error) error {
	t.Helper()
	o := strict()
	o.MaxSize = 4 << 20
	fresh, warm := newVerifier(t, jot.NewSecretKeySet(key), o), newVerifier(t, jot.NewSecretKeySet(key), o)
	if err := warm.Check(t.Context(), forge(key, acceptableHeader+"}", acceptablePayload+"}")); err != nil {
		t.Fatal("the token that the others are variations of:", err)
	}
	token, err := fresh.Verify(t.Context(), raw)
	if token != nil || !errors.Is(err, jot.ErrInvalidToken) || !refusedAs(err, want) {
		t.Fatalf("token %v, error %v, want %v", token, err, want)
	}
	if again := warm.Check(t.Context(), raw); again == nil || again.Error() != err.Error() {
		t.Errorf("a verifier that remembers the header says %v, not %v", again, err)
	}
	return err
}

// signEncoded signs parts that are encoded already, however wrong: the fault is in the encoding, not in the signature.
func signEncoded(t *testing.T, key *jot.SecretKey, header, payload string) string {
	t.Helper()
	signature, err := key.SignInput(t.Context(), []byte(header+"."+payload))
	if err != nil {
		t.Fatal(err)
	}
	return header + "." + payload + "." + base64.RawURLEncoding.EncodeToString(signature)
}

// RFC 7515 §2: the alphabet of base64url, without line breaks, white space or other characters. Go's decoder skips CR
// and LF.
func TestForeignCharactersInEachSegment(t *testing.T) {
	key := generateSecret(t)
	for _, foreign := range []string{"\r", "\n", "\r\n", " ", "\t", "\x00", "=", "==", "+", "/", "%2D", "?", "~", ",", "é", "\u2028", "\ufeff", "\xff", "А"} {
		for segment := range 3 {
			for place, at := range map[string]func(int) int{
				"start": func(int) int { return 0 }, "middle": func(n int) int { return n / 2 }, "end": func(n int) int { return n },
			} {
				t.Run(fmt.Sprintf("%q at the %s of segment %d", foreign, place, segment), func(t *testing.T) {
					parts := strings.Split(forge(key, acceptableHeader+"}", acceptablePayload+"}"), ".")
					i := at(len(parts[segment]))
					parts[segment] = parts[segment][:i] + foreign + parts[segment][i:]
					raw := strings.Join(parts, ".")
					if segment < 2 {
						raw = signEncoded(t, key, parts[0], parts[1])
					}
					checkRefused(t, key, raw, jot.ErrMalformed)
				})
			}
		}
	}
}

// RFC 4648 §3.5: the bits of the last character that encode nothing are zero, so a token has one spelling.
func TestNonCanonicalBase64(t *testing.T) {
	key := generateSecret(t)
	for unused, spaces := range map[int]int{2: 0, 4: 1} { // how many bits of the last character encode nothing
		header, payload := acceptableHeader, acceptablePayload
		for (len(header)+1)%3 != 2-spaces {
			header += " "
		}
		for (len(payload)+1)%3 != 2-spaces {
			payload += " "
		}
		valid := forge(key, header+"}", payload+"}")
		checkAccepted(t, key, valid)
		parts := strings.Split(valid, ".")
		for bits := 1; bits < 1<<unused; bits++ {
			checkRefused(t, key, signEncoded(t, key, withUnusedBits(parts[0], bits), parts[1]), jot.ErrMalformed)
			checkRefused(t, key, signEncoded(t, key, parts[0], withUnusedBits(parts[1], bits)), jot.ErrMalformed)
		}
	}
	valid := forge(key, acceptableHeader+"}", acceptablePayload+"}")
	for bits := 1; bits < 4; bits++ { // 32 bytes of signature leave 2 bits
		checkRefused(t, key, withUnusedBits(valid, bits), jot.ErrMalformed)
	}
	checkRefused(t, key, valid+"AA", jot.ErrMalformed) // a length that no encoder writes
}

// withUnusedBits sets bits of the last character, which are zero.
func withUnusedBits(encoded string, bits int) string {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	last := len(encoded) - 1
	return encoded[:last] + string(alphabet[strings.IndexByte(alphabet, encoded[last])|bits])
}

func checkAccepted(t *testing.T, key *jot.SecretKey, raw string) {
	t.Helper()
	o := strict()
	o.MaxSize = 4 << 20
	if err := newVerifier(t, jot.NewSecretKeySet(key), o).Check(t.Context(), raw); err != nil {
		t.Fatal(err)
	}
}

// RFC 7515 §7.1: three parts between two dots, and no other serialization.
func TestDots(t *testing.T) {
	key := generateSecret(t)
	valid := forge(key, acceptableHeader+"}", acceptablePayload+"}")
	parts := strings.Split(valid, ".")
	for _, raw := range []string{
		".", "...", "....", "." + valid, valid + "." + parts[2], parts[0], parts[0] + parts[1] + "." + parts[2],
		parts[0] + ".." + parts[1] + "." + parts[2], parts[0] + "." + parts[1] + ".." + parts[2], valid + ".." + parts[2],
		parts[0] + "。" + parts[1] + "。" + parts[2], "." + parts[1] + "." + parts[2], ".." + parts[2], strings.Repeat(".", 1<<20),
		fmt.Sprintf(`{"protected":%q,"payload":%q,"signature":%q}`, parts[0], parts[1], parts[2]),
		"Bearer " + valid, `"` + valid + `"`, valid + " ", "\ufeff" + valid,
	} {
		t.Run(fmt.Sprintf("%.40q", raw), func(t *testing.T) { checkRefused(t, key, raw, jot.ErrMalformed) })
	}
	checkRefused(t, key, signEncoded(t, key, parts[0], ""), jot.ErrMalformed) // an empty payload is no claims set
}

// RFC 8259 and RFC 7515 §4, RFC 7519 §4: what two readers could read in two ways stands neither in a header nor in a
// payload.
func TestStrictMembers(t *testing.T) {
	key := generateSecret(t)
	for name, members := range map[string]string{
		"equal":                      `"role":"user","role":"admin"`,
		"equal in value too":         `"role":"user","role":"user"`,
		"fold-equal":                 `"role":"user","Role":"admin"`,
		"fold-equal, far apart":      `"role":"user",` + manyMembers(200) + `,"ROLE":"admin"`,
		"long s":                     `"kis":1,"kiſ":2`,
		"kelvin":                     `"key":1,"Key":2`,
		"sigmas":                     `"ς":1,"σ":2`,
		"an escape":                  `"role":1,"\u0072ole":2`,
		"an escape and a case":       `"role":1,"\u0052ole":2`,
		"escaped long s":             `"kis":1,"ki\u017f":2`,
		"escaped slash":              `"a/b":1,"a\/b":2`,
		"an escaped pair":            `"𐐀":1,"\ud801\udc28":2`,
		"nested":                     `"x":{"role":1,"Role":2}`,
		"nested deeper":              `"x":[0,{"y":[{"role":1},{"z":{"role":1,"rol\u0065":2}}]}]`,
		"empty names":                `"":1,"":2`,
		"invalid UTF-8 in a name":    "\"a\xff\":1",
		"invalid UTF-8 in a value":   "\"a\":\"\xff\"",
		"overlong UTF-8":             "\"a\":\"\xc0\x80\"",
		"overlong slash in a name":   "\"\xc0\xaf\":1",
		"cut UTF-8":                  "\"a\":\"\xf0\x9d\x84\"",
		"encoded surrogate":          "\"a\":\"\xed\xa0\x80\"",
		"encoded pair":               "\"a\":\"\xed\xa0\xb4\xed\xb4\x9e\"",
		"beyond Unicode":             "\"a\":\"\xf4\x90\x80\x80\"",
		"nested invalid UTF-8":       "\"a\":[{\"b\":\"\xfe\"}]",
		"high surrogate in a value":  `"a":"\ud800"`,
		"high surrogate in a name":   `"a\ud800":1`,
		"low surrogate in a value":   `"a":"\udc00"`,
		"low surrogate in a name":    `"\uDC00":1`,
		"surrogates in wrong order":  `"a":"\udd1e\ud834"`,
		"high surrogate, then text":  `"a":"\ud834x"`,
		"high surrogate, then other": `"a":"\ud834\u0041"`,
		"high surrogate twice":       `"a":"\ud834\ud834"`,
		"control character":          "\"a\":\"\x1f\"",
		"line break in a text":       "\"a\":\"\n\"",
		"NUL in a name":              "\"a\x00\":1",
		"unknown escape":             `"a":"\x41"`,
		"short escape":               `"a":"\u00"`,
		"signed escape":              `"a":"\u+041"`,
		"NaN":                        `"a":NaN`,
		"Infinity":                   `"a":-Infinity`,
		"leading zero":               `"a":01`,
		"plus":                       `"a":+1`,
		"hexadecimal":                `"a":0x10`,
		"no fraction":                `"a":1.`,
		"no integer":                 `"a":.5`,
		"no exponent":                `"a":1e`,
		"minus alone":                `"a":-`,
		"underscore":                 `"a":1_000`,
		"fullwidth digit":            `"a":１`,
		"True":                       `"a":True`,
		"undefined":                  `"a":undefined`,
		"single quotes":              `'a':1`,
		"a bare name":                `a:1`,
		"a name that is a number":    `1:1`,
		"a name that is null":        `null:1`,
		"no value":                   `"a":`,
		"no colon":                   `"a" 1`,
		"two colons":                 `"a"::1`,
		"trailing comma":             `"a":1,`,
		"two commas":                 `"a":1,,"b":2`,
		"trailing comma in an array": `"a":[1,]`,
		"missing comma":              `"a":1 "b":2`,
		"a comment":                  `"a":1/**/`,
		"a line comment":             "\"a\":1//\n",
		"vertical tab":               "\"a\":1\v",
		"no-break space":             "\"a\":\u00a01",
		"unclosed array":             `"a":[1`,
		"wrong bracket":              `"a":[1}`,
	} {
		t.Run(name, func(t *testing.T) {
			checkRefused(t, key, forge(key, acceptableHeader+","+members+"}", acceptablePayload+"}"), jot.ErrMalformed)
			checkRefused(t, key, forge(key, acceptableHeader+"}", acceptablePayload+","+members+"}"), jot.ErrMalformed)
		})
	}
}

// The names that the verifier itself goes by have doubles too.
func TestDoubledRegisteredNames(t *testing.T) {
	key := generateSecret(t)
	for _, name := range []string{"alg", "typ", "kid", "cty", "jwk"} {
		for _, double := range []string{name, strings.ToUpper(name), strings.ToUpper(name[:1]) + name[1:], escaped(name)} {
			members := fmt.Sprintf(`,%q:"x","%s":"y"`, name, double)
			if name == "alg" {
				members = fmt.Sprintf(`,"%s":"HS256"`, double)
			}
			checkRefused(t, key, forge(key, acceptableHeader+members+"}", acceptablePayload+"}"), jot.ErrMalformed)
		}
	}
	for _, name := range []string{"iss", "aud", "exp", "sub", "nbf", "iat", "jti"} {
		for _, double := range []string{name, strings.ToUpper(name), escaped(name), strings.ReplaceAll(name, "s", "ſ")} {
			if double == name && !strings.Contains(acceptablePayload, `"`+name+`"`) {
				continue
			}
			value := `"x"`
			if slices.Contains([]string{"exp", "nbf", "iat"}, name) {
				value = "1"
			}
			members := fmt.Sprintf(`,"%s":%s`, double, value)
			if !strings.Contains(acceptablePayload, `"`+name+`"`) {
				members = fmt.Sprintf(`,%q:%s%s`, name, value, members)
			}
			checkRefused(t, key, forge(key, acceptableHeader+"}", acceptablePayload+members+"}"), jot.ErrMalformed)
		}
	}
}

func escaped(name string) string {
	text := ""
	for _, c := range name {
		text += fmt.Sprintf(`\u%04x`, c)
	}
	return text
}

// manyMembers are n members of names that differ.
func manyMembers(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, `"member%d":%d,`, i, i)
	}
	return strings.TrimSuffix(text.String(), ",")
}

// RFC 7515 §4, RFC 7519 §3: header and payload are one JSON object each, with nothing before or after it, in UTF-8.
func TestOneObject(t *testing.T) {
	key := generateSecret(t)
	for name, around := range map[string][2]string{
		"another object": {"", "{}"}, "another value": {"", " 1"}, "a comma": {"", ","}, "a brace": {"", "}"}, "NUL": {"", "\x00"},
		"a letter": {"", "x"}, "a comment": {"", "//"}, "itself": {"", acceptablePayload + "}"}, "byte order mark": {"\ufeff", ""},
		"byte order mark after": {"", "\ufeff"}, "an array": {"[", "]"}, "a comma before": {",", ""}, "NUL before": {"\x00", ""},
		"form feed": {"\f", ""}, "a string": {`"`, `"`}, "XSSI prefix": {")]}'\n", ""}, "invalid UTF-8 after": {"", "\xff"},
	} {
		t.Run(name, func(t *testing.T) {
			checkRefused(t, key, forge(key, around[0]+acceptableHeader+"}"+around[1], acceptablePayload+"}"), jot.ErrMalformed)
			checkRefused(t, key, forge(key, acceptableHeader+"}", around[0]+acceptablePayload+"}"+around[1]), jot.ErrMalformed)
		})
	}
	for _, text := range []string{"", " ", "null", "true", "1", `""`, "[]", "{", "}", "nul", "[{}]", "\xff\xfe{\x00}\x00", "\x00{\x00}", "\x1f\x8b\x08\x00"} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			checkRefused(t, key, forge(key, text, acceptablePayload+"}"), jot.ErrMalformed)
			checkRefused(t, key, forge(key, acceptableHeader+"}", text), jot.ErrMalformed)
		})
	}
	checkAccepted(t, key, forge(key, " \t\r\n"+acceptableHeader+"\n}\n", " \t\r\n"+acceptablePayload+"\r\n}\t"))
}

// Deep nesting is refused where it gets too deep: nothing behind that is read, however much follows.
func TestDeepNesting(t *testing.T) {
	key := generateSecret(t)
	const deepest = 32
	for name, bracket := range map[string][2]string{"arrays": {"[", "]"}, "objects": {`{"a":`, "}"}, "both": {`[{"a":`, "}]"}, "arrays behind others": {"[[],", "]"}} {
		nested := func(levels int) string {
			return `,"x":` + strings.Repeat(bracket[0], levels) + "0" + strings.Repeat(bracket[1], levels)
		}
		perPair := strings.Count(bracket[0], "{") + strings.Count(strings.TrimSuffix(bracket[0], "[],"), "[")
		fits := (deepest - 1) / perPair // the claims set itself is the first level
		t.Run(name, func(t *testing.T) {
			checkAccepted(t, key, forge(key, acceptableHeader+nested(fits-1)+"}", acceptablePayload+nested(fits-1)+"}"))
			for _, levels := range []int{fits + 1, 100, 1000, 100_000} {
				unclosed := `,"x":` + strings.Repeat(bracket[0], levels)
				for _, deep := range []string{nested(levels) + "}", unclosed} {
					err := checkRefused(t, key, forge(key, acceptableHeader+"}", acceptablePayload+deep), jot.ErrMalformed)
					checkStoppedEarly(t, err, len(acceptablePayload)+(deepest+2)*(len(bracket[0])+len(bracket[1])))
					if len(deep) < 5000 {
						err = checkRefused(t, key, forge(key, acceptableHeader+deep, acceptablePayload+"}"), jot.ErrMalformed)
						checkStoppedEarly(t, err, len(acceptableHeader)+(deepest+2)*(len(bracket[0])+len(bracket[1])))
					} else if levels == 100_000 {
						checkRefused(t, key, forge(key, acceptableHeader+deep, acceptablePayload+"}"), jot.ErrTooLarge)
					}
				}
			}
		})
	}
}

// checkStoppedEarly makes sure that reading a text ended before the given place.
func checkStoppedEarly(t *testing.T, err error, before int) {
	t.Helper()
	if syntax, ok := errors.AsType[*strictjson.SyntaxError](err); !ok || syntax.Offset > before {
		t.Errorf("%v: read on behind byte %d", err, before)
	}
}

// Many members cost no more, each, than few: an object of 100,000 is read, and its one double is found.
func TestManyMembers(t *testing.T) {
	key := generateSecret(t)
	many := "," + manyMembers(100_000)
	checkAccepted(t, key, forge(key, acceptableHeader+"}", acceptablePayload+many+"}"))
	checkRefused(t, key, forge(key, acceptableHeader+"}", acceptablePayload+many+`,"Member99999":1}`), jot.ErrMalformed)
	checkRefused(t, key, forge(key, acceptableHeader+many+"}", acceptablePayload+"}"), jot.ErrTooLarge)
	few := manyMembers(1000)
	checkRefused(t, key, forge(key, acceptableHeader+"}", acceptablePayload+","+few+`,"member0":1}`), jot.ErrMalformed)
	checkRefused(t, key, forge(key, acceptableHeader+"}", acceptablePayload+`,"x":[{`+few+`,"MEMBER5":1}]}`), jot.ErrMalformed)
}

// RFC 7519 §2: a NumericDate is a JSON number. Anything else is malformed, not absent; a number that no clock reaches
// too.
func TestMalformedDates(t *testing.T) {
	key := generateSecret(t)
	for _, date := range []string{
		`"1795349700"`, `"1795349700.0"`, `""`, `"2026-11-22T12:15:00Z"`, "null", "true", "false", "[]", "[1795349700]", "{}", `{"seconds":1795349700}`,
		"1e400", "1e308", "1E+400", "1e99999999999999999999", "9223372036854775807", "9223372036854775808", "18446744073709551616", "1e30", "253402300800",
		"-1", "-0.5", "-1e400", "-1795349700", "-9223372036854775809", "-1e-400",
		"NaN", "Infinity", "-Infinity", "1795349700n", "0x6b02e9c4", "01795349700", "+1795349700", "1795349700.", ".5", "1_795_349_700", "1795349700,0",
	} {
		for _, claim := range []string{"exp", "nbf", "iat"} {
			t.Run(claim+" "+date, func(t *testing.T) {
				payload := acceptablePayload + fmt.Sprintf(",%q:%s}", claim, date)
				if claim == "exp" {
					payload = strings.Replace(acceptablePayload+"}", "1795349700", date, 1)
				}
				raw := forge(key, acceptableHeader+"}", payload)
				checkRefused(t, key, raw, jot.ErrMalformed)
				o := strict()
				o.NoExpiry = true // waives an absent exp, not a malformed one
				if err := newVerifier(t, jot.NewSecretKeySet(key), o).Check(t.Context(), raw); !errors.Is(err, jot.ErrMalformed) {
					t.Errorf("with NoExpiry: %v", err)
				}
			})
		}
	}
}

// RFC 7519 §4.1.4 and §4.1.5: refused on exp, accepted on nbf, to the nanosecond and whatever the spelling of the
// number.
func TestDatesAtTheBoundary(t *testing.T) {
	key := generateSecret(t)
	for _, test := range []struct {
		claim, date string
		nanosecond  time.Duration // of the verifier's clock, after noon
		want        error
	}{
		{"exp", "1795348800", 0, jot.ErrExpired}, {"exp", "1795348800", 1, jot.ErrExpired}, {"exp", "1795348800", -1, nil},
		{"exp", "1795348800.000000001", 0, nil}, {"exp", "1795348800.000000001", 1, jot.ErrExpired}, {"exp", "1795348800.0000000009", 0, jot.ErrExpired},
		{"exp", "1.7953488e9", 0, jot.ErrExpired}, {"exp", "17953488E+2", -1, nil}, {"exp", "1795348800000e-3", 0, jot.ErrExpired},
		{"exp", "1795348801", 999_999_999, nil}, {"exp", "1795348800.5", 499_999_999, nil}, {"exp", "1795348800.5", 500_000_000, jot.ErrExpired},
		{"exp", "253402300799", 0, nil}, {"exp", "0", 0, jot.ErrExpired}, {"exp", "-0", 0, jot.ErrExpired}, {"exp", "1e-400", 0, jot.ErrExpired},
		{"nbf", "1795348800", 0, nil}, {"nbf", "1795348800", -1, jot.ErrNotYetValid}, {"nbf", "1795348800.5", 499_999_999, jot.ErrNotYetValid},
		{"nbf", "1795348800.5", 500_000_000, nil}, {"nbf", "17953488e2", -1, jot.ErrNotYetValid}, {"nbf", "253402300799", 0, jot.ErrNotYetValid},
		{"iat", "1795348800", 0, nil}, {"iat", "1795348800", -1, jot.ErrNotYetValid}, {"iat", "1795348800.5", 0, jot.ErrNotYetValid},
	} {
		t.Run(fmt.Sprintf("%s %s at %dns", test.claim, test.date, test.nanosecond), func(t *testing.T) {
			payload := acceptablePayload + fmt.Sprintf(",%q:%s}", test.claim, test.date)
			if test.claim == "exp" {
				payload = strings.Replace(acceptablePayload+"}", "1795349700", test.date, 1)
			}
			o := strict()
			o.Now = func() time.Time { return noon.Add(test.nanosecond) }
			o.RequirePastIssuedAt = true
			err := newVerifier(t, jot.NewSecretKeySet(key), o).Check(t.Context(), forge(key, acceptableHeader+"}", payload))
			if !errors.Is(err, test.want) {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}
