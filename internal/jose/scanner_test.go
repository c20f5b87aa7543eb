package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"
)

// nested returns n arrays inside one another.
func nested(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }

// nestedObjects returns n objects inside one another.
func nestedObjects(n int) string {
	return strings.Repeat(`{"a":`, n-1) + "{}" + strings.Repeat("}", n-1)
}

// manyMembers returns an object with n members whose names differ, and with last as one more name.
func manyMembers(n int, last string) string {
	var b strings.Builder
	b.WriteString("{")
	for i := range n {
		fmt.Fprintf(&b, `"member%d":%d,`, i, i)
	}
	fmt.Fprintf(&b, `"%s":0}`, last)
	return b.String()
}

var accepted = []string{
	`null`, `true`, `false`, `0`, `-0`, `1`, `-1`, `10`, `0.0`, `1.5e3`, `1E+2`, `1e-2`, `0e0`, `123456789012345678901234567890`,
	`1e999999999`, `-0.000e-000`, `12345678`, `123456789.12345678`, `[12345678,1234567]`,
	`""`, `"a"`, `"1234567"`, `"12345678"`, `"123456789"`, `"ä"`, `"1234567ä"`, `"12345678ä"`, `"日本語"`, `"😀"`, "\"\x7f\"",
	`"\""`, `"\\"`, `"\/"`, `"\b\f\n\r\t"`, `"\u0000"`, `"\u00e4"`, `"\uD83D\uDE00"`, `"\ud83d\ude00"`, `"\uFFFF"`,
	`"12345678\n12345678"`, `"\\u0041"`, `"\\\\"`, "\"\uFFFD\"", "\"\u2028\"",
	`[]`, `[ ]`, `[1]`, `[1,2]`, `[[],[]]`, `[{}]`, ` [ 1 , 2 ] `, "\t\r\n[\n1\r,\t2 ]\n",
	`{}`, `{ }`, `{"":0}`, `{"a":1}`, `{"a":1,"b":2}`, ` { "a" : 1 , "b" : [ ] } `, `{"a":{"a":{"a":1}}}`, `[{"a":1},{"a":1}]`,
	`{"a":[{"b":1},{"b":2}],"b":3}`, `{"a":{"b":1},"b":{"a":1}}`,
	`{"é":1,"e":2}`, "{\"\u00e9\":1,\"e\u0301\":2}", `{"ss":1,"ß":2}`, `{"i":1,"ı":2,"İ":3}`, `{"a":1,"a ":2," a":3}`,
	`{"12345678":1,"123456789":2,"1234567":3,"12345678x":4}`, `{"a@":1,"a` + "`" + `":2}`, `{"[":1,"{":2}`, `{"\u0000":1,"":2," ":3}`,
	nested(MaxDepth), nestedObjects(MaxDepth),
	manyMembers(30, "x"), manyMembers(31, "x"), manyMembers(32, "x"), manyMembers(33, "x"), manyMembers(1000, "x"),
	`{"a":` + manyMembers(40, "x") + `,"b":` + manyMembers(63, "x") + `,"c":` + manyMembers(20, "x") + `}`,
}

var refused = []struct {
	text   string
	offset int
}{
	{``, 0}, {` `, 1}, {`nul`, 0}, {`nulll`, 4}, {`True`, 0}, {`tru]`, 0}, {`fals`, 0}, {`NaN`, 0}, {`Infinity`, 0}, {`-Infinity`, 1}, {`undefined`, 0},
	{`+1`, 0}, {`01`, 1}, {`-01`, 2}, {`-`, 1}, {`--1`, 1}, {`.5`, 0}, {`1.`, 2}, {`1.e5`, 2}, {`1e`, 2}, {`1e+`, 3}, {`1e5.5`, 3}, {`0x10`, 1}, {`1_000`, 1},
	{`1 2`, 2}, {`1234567890123456x`, 16}, {"1\x00", 1}, {`[1.]`, 3}, {`[-a]`, 2},
	{`"`, 1}, {`"a`, 2}, {`"abcdefgh`, 9}, {"\"\n\"", 1}, {"\"\t\"", 1}, {"\"\x00\"", 1}, {"\"1234567\x1f8901234\"", 8}, {`'a'`, 0}, {`"\`, 2}, {`"\"`, 3},
	{`"\a"`, 1}, {`"\u"`, 1}, {`"\u12"`, 1}, {`"\u123`, 1}, {`"\u12G4"`, 1}, {`"\U0041"`, 1}, {`"\x41"`, 1}, {`"\'"`, 1}, {"\"\\\n\"", 1},
	{`"\uD800"`, 1}, {`"\uDC00"`, 1}, {`"\uD800\uD800"`, 1}, {`"\uDC00\uD800"`, 1}, {`"\uD800x"`, 1}, {`"\uD800\n"`, 1}, {`"a\uD83D\u0041"`, 2}, {`"\uD83D\uDE0"`, 1},
	{"\"\x80\"", 1}, {"\"\xc3\"", 1}, {"\"\xc0\x80\"", 1}, {"\"\xed\xa0\x80\"", 1}, {"\"\xf4\x90\x80\x80\"", 1}, {"\"12345678\xff12345678\"", 9}, {"\"\xe2\x82\"", 1},
	{"\xef\xbb\xbf{}", 0}, {"\u00a01", 0}, {"\v1", 0}, {"\f1", 0}, {"1\u0085", 1},
	{`[`, 1}, {`]`, 0}, {`[1`, 2}, {`[1,`, 3}, {`[1,]`, 3}, {`[,1]`, 1}, {`[1,,2]`, 3}, {`[1 2]`, 3}, {`[1}`, 2}, {`[1]]`, 3}, {`[1],`, 3}, {`[//]`, 1},
	{`{`, 1}, {`}`, 0}, {`{"a"`, 4}, {`{"a":`, 5}, {`{"a":1`, 6}, {`{"a":1,`, 7}, {`{"a":1,}`, 7}, {`{,"a":1}`, 1}, {`{"a":1,,"b":2}`, 7}, {`{"a" 1}`, 5},
	{`{"a"::1}`, 5}, {`{"a":1 "b":2}`, 7}, {`{a:1}`, 1}, {`{1:1}`, 1}, {`{'a':1}`, 1}, {`{"a":1]`, 6}, {`{"a":1}}`, 7}, {`{}{}`, 2}, {`{} x`, 3}, {"{}\x00", 2},
	{`{null:1}`, 1}, {`{"a",1}`, 4}, {`{"a":}`, 5}, {`{"a\q":1}`, 3}, {"{\"a\nbcdefgh\":1}", 3}, {"{\"a\xffbcdefgh\":1}", 3}, {`{"a/**/":1/**/}`, 10}, {`{"a`, 3},
	{nested(MaxDepth + 1), MaxDepth}, {nestedObjects(MaxDepth + 1), 5 * MaxDepth}, {strings.Repeat("[", 100_000), MaxDepth}, {strings.Repeat(`{"a":`, 100_000), 5 * MaxDepth},
}

// doubled holds pairs of names that are equal or differ in letter case only.
var doubled = [][2]string{
	{"a", "a"}, {"", ""}, {"role", "Role"}, {"role", "ROLE"}, {"ROLE", "role"}, {"iss", "iſs"}, {"ISS", "iſs"}, {"iſſ", "ISS"},
	{"k", "K"}, {"K", "K"}, {"kid", "Kid"}, {"jwk", "JWK"}, {"ä", "Ä"}, {"å", "Å"}, {"Å", "Å"}, {"σ", "ς"}, {"Σ", "ς"}, {"ß", "ẞ"},
	{"θ", "ϴ"}, {"дата", "ДАТА"}, {"𐐀", "𐐨"}, {"ǅ", "ǆ"}, {"ǅ", "Ǆ"}, {"µ", "μ"},
	{"a", `\u0061`}, {"role", `\u0052ole`}, {`\u0052OLE`, `rol\u0065`}, {"a/b", `a\/b`}, {"iss", `i\u017Fs`}, {"K", `\u212A`}, {"😀", `\ud83d\uDE00`}, {`\n`, `\u000A`},
	{"client_identifier", "client_Identifier"}, {"abcdefgh", "ABCDEFGH"}, {"abcdefghijklmnop", "abcdefghijklmnoP"}, {"clientſecret12345", "clientSecret12345"},
	{strings.Repeat("x", 1000), strings.Repeat("x", 999) + "X"}, {strings.Repeat("ſ", 100), strings.Repeat("S", 100)},
}

func TestValid(t *testing.T) {
	for _, text := range accepted {
		if err := Valid([]byte(text)); err != nil {
			t.Errorf("Valid(%.100q): %v", text, err)
		}
	}
	for _, test := range refused {
		var syntax *SyntaxError
		if err := Valid([]byte(test.text)); !errors.As(err, &syntax) || syntax.Offset != test.offset {
			t.Errorf("Valid(%.100q): %v, want an error at byte %d", test.text, err, test.offset)
		}
	}
}

// TestValidAtEveryAlignment moves texts through the words of eight bytes that strings are read by.
func TestValidAtEveryAlignment(t *testing.T) {
	for shift := range 17 {
		padding := strings.Repeat("p", shift)
		for _, text := range accepted {
			for _, around := range []string{`["%s",%s]`, `[[%[2]s,"%[1]s"]]`, `{"%s":%s}`} {
				if strings.HasPrefix(text, nested(MaxDepth)[:MaxDepth]) || strings.HasPrefix(text, nestedObjects(MaxDepth)[:MaxDepth]) {
					continue
				}
				if data := fmt.Sprintf(around, padding, text); Valid([]byte(data)) != nil {
					t.Errorf("Valid(%.100q): %v", data, Valid([]byte(data)))
				}
			}
		}
		for _, test := range refused {
			if data := fmt.Sprintf(`["%s",%s]`, padding, test.text); Valid([]byte(data)) == nil {
				t.Errorf("Valid(%.100q) is nil", data)
			}
		}
	}
}

func TestDoubledNames(t *testing.T) {
	for _, pair := range doubled {
		for _, format := range []string{
			`{"%s":1,"%s":2}`,
			`{"%s":{"x":[{"y":1}]},"z":[],"%s":null}`,
			`[{"x":{"%s":1,"y":{"z":1},"%s":1}}]`,
			`{"%s":1,` + strings.Trim(manyMembers(31, "x"), "{}") + `,"%s":1}`,
			`{"%s":1,` + strings.Trim(manyMembers(100, "x"), "{}") + `,"%s":1}`,
			`{` + strings.Trim(manyMembers(50, "x"), "{}") + `,"%s":1,"%s":1}`,
			`{"m":` + manyMembers(28, "x") + `,"%s":` + manyMembers(62, "x") + `,"%s":1}`,
		} {
			data := fmt.Sprintf(format, pair[0], pair[1])
			var syntax *SyntaxError
			if err := Valid([]byte(data)); !errors.As(err, &syntax) || !strings.Contains(syntax.Reason, "name") {
				t.Errorf("Valid(%.200q): %v", data, err)
			} else if want := strings.LastIndex(data, `"`+pair[1]+`":`); syntax.Offset != want {
				t.Errorf("Valid(%.200q): %v, want byte %d", data, err, want)
			}
		}
		apart := fmt.Sprintf(`[{"%s":1},{"%[2]s":{"%[1]s":2}}]`, pair[0], pair[1])
		if err := Valid([]byte(apart)); err != nil {
			t.Errorf("Valid(%.200q): %v", apart, err)
		}
	}
}

// TestCollidingHashes makes sure that names of one hash are told apart, before and after they move to a map.
func TestCollidingHashes(t *testing.T) {
	// The hash ignores the bit by which these differ.
	if foldHash([]byte("a@b")) != foldHash([]byte("a`b")) || foldHash([]byte("a[")) != foldHash([]byte("a{")) {
		t.Fatal("the hashes differ")
	}
	if err := Valid([]byte("{\"a@b\":1,\"x\":{\"a@b\":1,\"a`b\":2},\"a`b\":2,\"a[\":3,\"a{\":{\"a`b\":4,\"a@b\":5}}")); err != nil {
		t.Error(err)
	}
	for _, last := range []string{"a@b", "A`B", "X", "y"} {
		data := fmt.Sprintf("{\"a@b\":1,\"x\":2,\"a`b\":3,\"Y\":4,%q:5}", last)
		if err := Valid([]byte(data)); err == nil {
			t.Errorf("Valid(%q) is nil", data)
		}
	}
}

// TestHashAsRead makes sure that names are hashed alike while they are read and, in another spelling, afterwards.
func TestHashAsRead(t *testing.T) {
	for size := range 40 {
		name := strings.Repeat("Abc_-0", 10)[:size]
		var s Scanner
		s.Reset([]byte(`{"` + name + `":"padding"}`))
		if !s.Next() || s.members[0].hash != uint32(foldHash([]byte(strings.ToUpper(name)))>>32) {
			t.Errorf("%q has another hash while it is read", name)
		}
	}
}

type found struct {
	name  string
	kind  Kind
	value string
}

func members(s *Scanner) (list []found) {
	for s.Next() {
		list = append(list, found{string(s.Name()), s.Value().Kind(), string(s.Value().Raw())})
	}
	return list
}

// atOnce is members by the other door.
func atOnce(s *Scanner, data []byte) (list []found) {
	for _, m := range s.Members() {
		value := m.Value(data)
		list = append(list, found{string(m.Name(data)), value.Kind(), string(value.Raw())})
	}
	return list
}

func TestScanner(t *testing.T) {
	var s Scanner
	s.Reset([]byte(` { "a" : 1 , "b\u0062\"":"x\n", "":[1, 2],"12345678":{"a":"\\"},"t":true ,"f":false,"n":null,"last":"é" } `))
	want := []found{
		{"a", Number, "1"}, {"bb\"", String, `"x\n"`}, {"", Array, "[1, 2]"}, {"12345678", Object, `{"a":"\\"}`},
		{"t", Bool, "true"}, {"f", Bool, "false"}, {"n", Null, "null"}, {"last", String, `"é"`},
	}
	if got := members(&s); fmt.Sprint(got) != fmt.Sprint(want) || s.Err() != nil {
		t.Errorf("got %v, %v; want %v", got, s.Err(), want)
	}
	if s.Next() || s.Err() != nil || len(s.Name()) != 0 || s.Value().Kind() != Invalid {
		t.Error("the scanner goes on after the end")
	}
}

func TestScannerAgreesWithValid(t *testing.T) {
	texts := append([]string{}, accepted...)
	for _, test := range refused {
		texts = append(texts, test.text)
	}
	var s Scanner
	for _, text := range texts {
		s.Reset([]byte(text))
		members(&s)
		if s.Next() {
			t.Errorf("Next(%.100q) is true again after the end", text)
		}
		if !strings.HasPrefix(strings.TrimSpace(text), "{") {
			if s.Err() == nil {
				t.Errorf("Scanner takes %.100q for an object", text)
			}
			continue
		}
		if got, want := s.Err(), Valid([]byte(text)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Scanner(%.100q): %v, Valid: %v", text, got, want)
		}
	}
}

// TestResetFew makes sure that a bound for the members of one object holds at every depth, and makes no other
// difference.
func TestResetFew(t *testing.T) {
	few, many := manyMembers(31, "x"), manyMembers(32, "x")
	var s Scanner
	for text, want := range map[string]bool{
		few: true, many: false, `{"a":` + few + `,"b":[` + few + `]}`: true, `{"a":[[` + many + `]]}`: false,
		manyMembers(31, "member1"): false, "{}": true, "{": false,
	} {
		if s.ResetFew([]byte(text)); (s.Err() == nil) != want {
			t.Errorf("ResetFew(%.100q): %v", text, s.Err())
		}
		if err := ValidFew([]byte(text)); (err == nil) != want {
			t.Errorf("ValidFew(%.100q): %v", text, err)
		}
		if !want && (s.Next() || len(s.Members()) > 0) {
			t.Errorf("ResetFew(%.100q) has members", text)
		}
	}
	s.ResetFew([]byte(many))
	s.Reset([]byte(many))
	if s.Err() != nil {
		t.Errorf("Reset after ResetFew: %v", s.Err())
	}
}

func TestZeroScanner(t *testing.T) {
	var s Scanner
	if s.Next() || s.Err() == nil {
		t.Error("a zero Scanner finds an object")
	}
}

func TestScannerAllocates(t *testing.T) {
	object := manyMembers(31, "x")
	texts := map[string]string{
		"access token":       accessToken,
		"32 members":         object,
		"32 members, nested": `{"a":{"b":` + object + `},"c":[` + object + `,` + object + `]}`,
		"escaped value":      `{"a":"\u0061\n"}`,
	}
	var s Scanner
	for name, text := range texts {
		data := []byte(text)
		scan := func() {
			s.Reset(data)
			for s.Next() {
				_, _ = s.Name(), s.Value()
			}
			if s.Err() != nil {
				t.Fatal(s.Err())
			}
		}
		if n := testing.AllocsPerRun(100, scan); n != 0 {
			t.Errorf("%s: %v allocations by Scanner, want 0", name, n)
		}
		if n := testing.AllocsPerRun(100, func() { _ = Valid(data) }); n != 0 {
			t.Errorf("%s: %v allocations by Valid, want 0", name, n)
		}
	}
}

// scanFuzzed checks that all ways to read data agree, and are no laxer than encoding/json.
func scanFuzzed(t *testing.T, data []byte) {
	err := Valid(data)
	if err == nil && !json.Valid(data) {
		t.Fatalf("Valid accepts %q", data)
	}
	var syntax *SyntaxError
	if err != nil && (!errors.As(err, &syntax) || syntax.Offset > len(data)) {
		t.Fatalf("Valid(%q): %v", data, err)
	}
	var s Scanner
	s.Reset(data)
	list := members(&s)
	if at := atOnce(&s, data); fmt.Sprint(at) != fmt.Sprint(list) {
		t.Fatalf("Scanner(%q): %v one by one, %v at once", data, list, at)
	}
	isObject := strings.HasPrefix(strings.TrimLeft(string(data), " \t\r\n"), "{")
	if isObject && fmt.Sprint(s.Err()) != fmt.Sprint(err) {
		t.Fatalf("Scanner(%q): %v, Valid: %v", data, s.Err(), err)
	}
	if !isObject && s.Err() == nil {
		t.Fatalf("Scanner takes %q for an object", data)
	}
	if s.Err() == nil {
		compareMembers(t, data, list)
	}
}

// compareMembers compares the members of an object with those that encoding/json finds.
func compareMembers(t *testing.T, data []byte, list []found) {
	var want map[string]json.RawMessage
	if err := json.Unmarshal(data, &want); err != nil {
		t.Fatal(err)
	}
	if len(list) != len(want) {
		t.Fatalf("Scanner finds %d members in %q, encoding/json %d", len(list), data, len(want))
	}
	for _, m := range list {
		if m.value != string(want[m.name]) {
			t.Fatalf("Scanner(%q): %q is %s, encoding/json: %s", data, m.name, m.value, want[m.name])
		}
		if m.kind == String {
			var text string
			if err := json.Unmarshal([]byte(m.value), &text); err != nil {
				t.Fatal(err)
			}
			value, err := Parse([]byte(m.value))
			if err != nil {
				t.Fatal(err)
			}
			if got := string(value.AppendString(nil)); got != text {
				t.Fatalf("AppendString(%s) = %q, want %q", m.value, got, text)
			}
		}
	}
}

func FuzzScanner(f *testing.F) {
	for _, text := range accepted {
		f.Add([]byte(text))
	}
	for _, test := range refused {
		f.Add([]byte(test.text))
	}
	for _, pair := range doubled {
		f.Add(fmt.Appendf(nil, `{"%s":1,"%s":2}`, pair[0], pair[1]))
	}
	f.Add([]byte(accessToken))
	f.Fuzz(scanFuzzed)
}
