//go:build go1.27

package jose

import (
	"bytes"
	jsonv1 "encoding/json"
	"encoding/json/jsontext"
	"fmt"
	"io"
	"reflect"
	"testing"
)

// FuzzAgainstJSONText makes sure that encoding/json/jsontext reads everything that Valid accepts, and reads the same.
func FuzzAgainstJSONText(f *testing.F) {
	for _, text := range accepted {
		f.Add([]byte(text))
	}
	for _, pair := range doubled {
		f.Add(fmt.Appendf(nil, `{"%s":1,"x%s":[2]}`, pair[0], pair[1]))
	}
	f.Add([]byte(accessToken))
	f.Fuzz(func(t *testing.T, data []byte) {
		if Valid(data) != nil {
			return
		}
		d := jsontext.NewDecoder(bytes.NewReader(data))
		value, _ := Parse(data)
		compare(t, value, d)
		if _, err := d.ReadToken(); err != io.EOF {
			t.Fatalf("jsontext does not end: %v", err)
		}
	})
}

// compare compares a value with what jsontext reads next.
func compare(t *testing.T, v Value, d *jsontext.Decoder) {
	token, err := d.ReadToken()
	if err != nil {
		t.Fatalf("jsontext: %v", err)
	}
	if kinds := map[Kind]jsontext.Kind{Null: 'n', Number: '0', String: '"', Array: '[', Object: '{'}; v.Kind() == Bool {
		if token.Bool() != v.Bool() {
			t.Fatalf("%s is %v", v.Raw(), v.Bool())
		}
	} else if token.Kind() != kinds[v.Kind()] {
		t.Fatalf("%s has kind %d, jsontext: %v", v.Raw(), v.Kind(), token.Kind())
	}
	switch v.Kind() {
	case String:
		if text := v.AppendString(nil); token.String() != string(text) {
			t.Fatalf("%s is %q, jsontext: %q", v.Raw(), text, token.String())
		}
	case Number:
		compareNumber(t, v, token)
	case Array:
		for e := v.Elements(); e.Next(); {
			compare(t, e.Value(), d)
		}
		compareEnd(t, d, ']')
	case Object:
		compareObject(t, v, d)
	}
}

func compareNumber(t *testing.T, v Value, token jsontext.Token) {
	if token.String() != string(v.Raw()) {
		t.Fatalf("%s, jsontext: %s", v.Raw(), token)
	}
	if n, ok := v.Uint(); ok {
		if got, err := token.Uint(); err != nil || got != n {
			t.Fatalf("%s is %d, jsontext: %d, %v", v.Raw(), n, got, err)
		}
	}
}

func compareObject(t *testing.T, v Value, d *jsontext.Decoder) {
	var s Scanner
	for s.Reset(v.Raw()); s.Next(); {
		if name, err := d.ReadToken(); err != nil || name.String() != string(s.Name()) {
			t.Fatalf("member %q, jsontext: %q, %v", s.Name(), name, err)
		}
		compare(t, s.Value(), d)
	}
	if s.Err() != nil {
		t.Fatal(s.Err())
	}
	compareEnd(t, d, '}')
}

func compareEnd(t *testing.T, d *jsontext.Decoder, end jsontext.Kind) {
	if token, err := d.ReadToken(); err != nil || token.Kind() != end {
		t.Fatalf("jsontext goes on with %v, %v", token, err)
	}
}

// fuzzed has struct types in all places where encoding/json could find them.
type fuzzed struct {
	Embedded
	*tagged
	A    string             `json:"a"`
	B    *fuzzed            `json:"b"`
	C    []fuzzed           `json:"c"`
	D    map[string]*fuzzed `json:"d"`
	E    any                `json:"e"`
	F    [1]struct{ K int } `json:"f"`
	Kid  string             `json:"kid"`
	Iss  string             `json:"iss"`
	Role string             `json:"role"`
	Same string             `json:"Role"`
}

// FuzzExactNames compares the two ways to decode with exact names: the search for strays that Go 1.26 needs, and
// encoding/json/v2.
func FuzzExactNames(f *testing.F) {
	for _, test := range decodings() {
		f.Add([]byte(test.data))
	}
	f.Add([]byte(`{"A":"x","b":{"B":{},"a":"y"},"c":[{"C":[]}],"d":{"A":{"A":"x"}},"e":{"A":1},"f":[{"k":1}],"ROLE":"x","KID":"y","deep":"z"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if Valid(data) != nil {
			return
		}
		exact := bytes.Clone(data)
		var first, second fuzzed
		eachStray(data, &first, func(name span) {
			for i := name.start; i < name.end; i++ {
				exact[i] = 0x7f
			}
		})
		got, want := jsonv1.Unmarshal(exact, &first), decode(data, &second)
		if fmt.Sprint(got) != fmt.Sprint(want) || !reflect.DeepEqual(first, second) {
			t.Fatalf("%q: %+v, %v; json/v2: %+v, %v", data, first, got, second, want)
		}
	})
}
