package jose

import (
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"
)

type inner struct {
	Role string `json:"role"`
	Any  any
}

type Embedded struct {
	Shared string
	Deep   string `json:"deep"`
}

type unexported struct {
	Hidden string `json:"hidden"`
}

type custom struct{ raw string }

func (c *custom) UnmarshalJSON(data []byte) error { c.raw = string(data); return nil }

type failing struct{}

func (*failing) UnmarshalJSON([]byte) error { return errors.New("never") }

type text struct{ Role string }

func (x *text) UnmarshalText(data []byte) error { x.Role = string(data); return nil }

type tree struct {
	Role string  `json:"role"`
	Kids []*tree `json:"kids"`
}

type left struct{ Name, Left string }

type right struct{ Name, Right string }

type tagged struct {
	X string `json:"Name"`
}

type (
	named  string
	nameds []named
	kilo   int
)

// plain has a field of each kind that is filled without encoding/json, and some others.
type plain struct {
	S   string          `json:"s"`
	B   bool            `json:"b"`
	I   int             `json:"i"`
	I8  int8            `json:"i8"`
	U   uint64          `json:"u"`
	U16 uint16          `json:"u16"`
	L   []string        `json:"l"`
	F   float64         `json:"f"`
	N   json.Number     `json:"n"`
	R   json.RawMessage `json:"r"`
}

// decoded describes what one test decodes: into is a pointer, want is printed like json.Marshal prints the result.
type decoded struct {
	name string
	data string
	into any
	want string
}

func decodings() []decoded {
	return slices.Concat(decodingsOfNames(), decodingsInside(), decodingsOfEmbedded(), decodingsOfFields(), decodingsOfPlainKinds())
}

func decodingsOfNames() []decoded {
	return []decoded{
		{"exact", `{"role":"a"}`, &inner{}, `{"role":"a","Any":null}`},
		{"case differs", `{"Role":"a"}`, &inner{}, `{"role":"","Any":null}`},
		{"upper case", `{"ROLE":"a","ANY":1}`, &inner{}, `{"role":"","Any":null}`},
		{"field without tag", `{"any":1}`, &inner{}, `{"role":"","Any":null}`},
		{"field without tag, exact", `{"Any":1}`, &inner{}, `{"role":"","Any":1}`},
		{"long s", `{"iſs":"a"}`, &struct {
			Iss string `json:"iss"`
		}{}, `{"iss":""}`},
		{"Kelvin sign", `{"\u212Aid":"a"}`, &struct {
			Kid string `json:"kid"`
		}{}, `{"kid":""}`},
		{"escaped name", `{"\u0072ole":"a"}`, &inner{}, `{"role":"a","Any":null}`},
		{"escaped name, case differs", `{"\u0052ole":"a"}`, &inner{}, `{"role":"","Any":null}`},
		{"two fields that differ in case", `{"role":"a"}`, &struct {
			A string `json:"role"`
			B string `json:"Role"`
		}{}, `{"role":"a","Role":""}`},
		{"third spelling", `{"ROLE":"a"}`, &struct {
			A string `json:"role"`
			B string `json:"Role"`
		}{}, `{"role":"","Role":""}`},
		{"unknown member", `{"x":{"role":"b"},"role":"a","y":[{"Role":1}]}`, &inner{}, `{"role":"a","Any":null}`},
		{"value of another type under another case", `{"Role":{"not":"a string"}}`, &inner{}, `{"role":"","Any":null}`},
		{"interface keeps names", `{"Any":{"Role":"a","x":[{"ANY":1}]}}`, &inner{}, `{"role":"","Any":{"Role":"a","x":[{"ANY":1}]}}`},
		{"name of a struct is a prefix", `{"rol":"a","roles":"b"}`, &inner{}, `{"role":"","Any":null}`},
		{"empty name", `{"":"a"}`, &inner{}, `{"role":"","Any":null}`},
	}
}

func decodingsInside() []decoded {
	full := &struct{ Data any }{Data: &inner{Role: "before"}}
	var throughAny any = &inner{}
	reused := []any{&inner{}, &inner{}}[:1]
	return []decoded{
		{"any", `{"Role":"a","n":1.5}`, new(any), `{"Role":"a","n":1.5}`},
		{"map", `{"Role":"a","x":"b"}`, &map[string]string{}, `{"Role":"a","x":"b"}`},
		{"map of structs", `{"A":{"Role":"a","role":"b"}}`[:16] + `},"B":{"role":"b"}}`, &map[string]inner{}, `{"A":{"role":"","Any":null},"B":{"role":"b","Any":null}}`},
		{"map of pointers", `{"A":{"Role":"a"},"a1":null}`, &map[string]*inner{}, `{"A":{"role":"","Any":null},"a1":null}`},
		{"map with integer keys", `{"1":{"Role":"a"},"2":{"role":"b"}}`, &map[int]inner{}, `{"1":{"role":"","Any":null},"2":{"role":"b","Any":null}}`},
		{"slice", ` [ {"Role":"a"} , {"role":"b"}, null ] `, &[]inner{}, `[{"role":"","Any":null},{"role":"b","Any":null},{"role":"","Any":null}]`},
		{"array", `[{"Role":"a"},{"role":"b"},{"role":"c"}]`, &[2]inner{}, `[{"role":"","Any":null},{"role":"b","Any":null}]`},
		{"nested slices", `[[[{"Role":"a"},{"role":"b"}]]]`, &[][]*[]inner{}, `[[[{"role":"","Any":null},{"role":"b","Any":null}]]]`},
		{"recursive type", `{"role":"a","kids":[{"Role":"b","kids":[{"role":"c","Kids":[]}]}]}`, &tree{}, `{"role":"a","kids":[{"role":"","kids":[{"role":"c","kids":null}]}]}`},
		{"pointer to pointer", `{"Role":"a"}`, func() any { p := &inner{}; q := &p; return &q }(), `{"role":"","Any":null}`},
		{"nil pointer", `{"P":{"Role":"a","Any":1}}`, &struct{ P ***inner }{}, `{"P":{"role":"","Any":1}}`},
		{"pointer in interface", `{"Data":{"Role":"a"}}`, full, `{"Data":{"role":"before","Any":null}}`},
		{"pointer in interface at the top", `{"Role":"a","Any":2}`, &throughAny, `{"role":"","Any":2}`},
		{"pointers in reused elements", `[{"Role":"a"},{"Role":"b"}]`, &reused, `[{"role":"","Any":null},{"role":"","Any":null}]`},
		{"value in interface", `{"Any":{"Role":"a"}}`, &inner{Any: inner{}}, `{"role":"","Any":{"Role":"a"}}`},
	}
}

func decodingsOfEmbedded() []decoded {
	return []decoded{
		{"embedded", `{"Shared":"a","deep":"b"}`, &struct{ Embedded }{}, `{"Shared":"a","deep":"b"}`},
		{"embedded, case differs", `{"shared":"a","Deep":"b"}`, &struct{ Embedded }{}, `{"Shared":"","deep":""}`},
		{"embedded pointer", `{"Shared":"a","Deep":"b"}`, &struct{ *Embedded }{}, `{"Shared":"a","deep":""}`},
		{"embedded pointer, case differs", `{"shared":"a"}`, &struct{ *Embedded }{}, `{}`},
		{"embedded with a name", `{"Embedded":{"Shared":"a"},"e":{"Shared":"b","shared1":1},"Shared":"c"}`, &struct {
			Embedded `json:"e"`
		}{}, `{"e":{"Shared":"b","deep":""}}`},
		{"embedded unexported", `{"hidden":"a","Hidden1":1}`, &struct{ unexported }{}, `{"hidden":"a"}`},
		{"embedded unexported, case differs", `{"Hidden":"a"}`, &struct{ unexported }{}, `{"hidden":""}`},
		{"outer hides embedded", `{"deep":"a"}`, &struct {
			Embedded
			Outer string `json:"deep"`
		}{}, `{"Shared":"","deep":"a"}`},
		{"embedded twice is ambiguous", `{"Name":"a","Left":"b","right":"c"}`, &struct {
			left
			right
		}{}, `{"Left":"b","Right":""}`},
		{"a tag decides", `{"Name":"a","name":"b"}`[:11] + `}`, &struct {
			left
			tagged
		}{}, `{"Left":"","Name":"a"}`},
	}
}

func decodingsOfFields() []decoded {
	return []decoded{
		{"ignored field", `{"Role":"a","-":"b"}`, &struct {
			Role string `json:"-"`
			Dash string
		}{}, `{"Dash":""}`},
		{"unexported field", `{"role":"a"}`, &struct {
			role string
			Role string
		}{}, `{"Role":""}`},
		{"number in a string", `{"N":"1","n1":"2"}`, &struct {
			N int `json:",string"`
		}{}, `{"N":"1"}`},
		{"raw message", `{"R":{"Role":"a","x":"\u0041"}}`, &struct{ R json.RawMessage }{}, `{"R":{"Role":"a","x":"\u0041"}}`},
		{"null", `null`, &inner{Role: "kept"}, `{"role":"kept","Any":null}`},
		{"null field", `{"role":null}`, &inner{Role: "kept"}, `{"role":"kept","Any":null}`},
		{"merged", `{"Any":1}`, &inner{Role: "kept"}, `{"role":"kept","Any":1}`},
		{"string", `"Role"`, new(string), `"Role"`},
		{"bytes", `"Um9sZQ=="`, &[]byte{}, `"Um9sZQ=="`},
	}
}

// decodingsOfPlainKinds are of what is filled without encoding/json.
func decodingsOfPlainKinds() []decoded {
	return []decoded{
		{"every plain kind", `{"s":"\u0061\n","b":true,"i":-5,"i8":127,"u":18446744073709551615,"u16":65535,"l":["x","\u0079"],"f":1.5,"n":12e3,"r":[1]}`, &plain{},
			`{"s":"a\n","b":true,"i":-5,"i8":127,"u":18446744073709551615,"u16":65535,"l":["x","y"],"f":1.5,"n":12e3,"r":[1]}`},
		{"plain kinds, null", `{"s":null,"b":null,"i":null,"u":null,"l":null,"f":null}`, &plain{S: "kept", B: true, I: 1, U: 2, L: []string{"gone"}, F: 3},
			`{"s":"kept","b":true,"i":1,"i8":0,"u":2,"u16":0,"l":null,"f":3,"n":0,"r":null}`},
		{"plain kinds, overwritten", `{"s":"","b":false,"i":0,"u":0,"l":[]}`, &plain{S: "gone", B: true, I: 1, U: 2, L: []string{"gone"}},
			`{"s":"","b":false,"i":0,"i8":0,"u":0,"u16":0,"l":[],"f":0,"n":0,"r":null}`},
		{"list with null", `{"l":["a",null,"b"]}`, &plain{}, `{"s":"","b":false,"i":0,"i8":0,"u":0,"u16":0,"l":["a","","b"],"f":0,"n":0,"r":null}`},
		{"named types", `{"Text":"a","List":["b"],"Count":3}`, &struct {
			Text  named
			List  nameds
			Count kilo
		}{}, `{"Text":"a","List":["b"],"Count":3}`},
		{"embedded value beside plain kinds", `{"Shared":"a","deep":"b","N":2}`, &struct {
			Embedded
			N int
		}{}, `{"Shared":"a","deep":"b","N":2}`},
		{"tag with options", `{"a":"x","b":7}`, &struct {
			A string `json:"a,omitempty"`
			B int    `json:"b,omitzero"`
		}{}, `{"a":"x","b":7}`},
	}
}

func TestUnmarshal(t *testing.T) {
	for _, test := range decodings() {
		t.Run(test.name, func(t *testing.T) {
			before := test.data
			data := []byte(test.data)
			if err := Unmarshal(data, test.into); err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(test.into)
			if err != nil || string(got) != test.want {
				t.Errorf("%s is decoded to %s, %v; want %s", test.data, got, err, test.want)
			}
			if string(data) != before {
				t.Errorf("the text was changed to %q", data)
			}
		})
	}
}

func TestUnmarshalOwnMethods(t *testing.T) {
	var v struct {
		C custom
		P *custom
		M map[string]custom
		T text
		W time.Time
	}
	err := Unmarshal([]byte(`{"C":{"Role":1},"P":{"ROLE":2},"M":{"a":{"role":3}},"T":"Role","W":"2026-11-22T04:00:00Z","w":{}}`), &v)
	if err == nil || !strings.Contains(err.Error(), "letter case") {
		t.Fatalf("a doubled name is accepted: %v", err)
	}
	if err := Unmarshal([]byte(`{"C":{"Role":1},"P":{"ROLE":2},"M":{"a":{"role":3}},"T":"Role","W":"2026-11-22T04:00:00Z"}`), &v); err != nil {
		t.Fatal(err)
	}
	got := fmt.Sprintf("%s %s %s %s %d", v.C.raw, v.P.raw, v.M["a"].raw, v.T.Role, v.W.Year())
	if want := `{"Role":1} {"ROLE":2} {"role":3} Role 2026`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// TestUnmarshalErrors compares with encoding/json: the kind of error and the position must be the same.
func TestUnmarshalErrors(t *testing.T) {
	tests := []struct {
		name, data string
		into       any
	}{
		{"not a pointer", `{"role":"a"}`, inner{}},
		{"nil", `{"role":"a"}`, nil},
		{"nil pointer", `{"role":"a"}`, (*inner)(nil)},
		{"wrong kind", `[{"role":"a"}]`, &inner{}},
		{"wrong kind in a field", `{"x":1,"ROLES":[],"role":1}`, &inner{}},
		{"number out of range", `{"N":300}`, &struct{ N uint8 }{}},
		{"negative", `[-1]`, &[]uint{}},
		{"fraction", `1.5`, new(int)},
		{"a string for a number", `{"s":"a","i":"1","b":true}`, &plain{}},
		{"a number for a string", `{"i":1,"s":1,"b":true}`, &plain{}},
		{"a fraction for an integer", `{"i":1.5}`, &plain{}},
		{"too large for the field", `{"i8":128}`, &plain{}},
		{"too small for the field", `{"i8":-129}`, &plain{}},
		{"too large for any integer", `{"u":18446744073709551616}`, &plain{}},
		{"negative for unsigned", `{"u16":-1}`, &plain{}},
		{"a list of other things", `{"l":["a",1]}`, &plain{}},
		{"an object for a list", `{"l":{}}`, &plain{}},
		{"the type's own error", `{"S":"a","C":1}`, &struct {
			S string
			C failing
		}{}},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			got, want := Unmarshal([]byte(test.data), test.into), json.Unmarshal([]byte(test.data), test.into)
			if got == nil || reflect.TypeOf(got) != reflect.TypeOf(want) || got.Error() != want.Error() {
				t.Errorf("got %T %v, want %T %v", got, got, want, want)
			}
		})
	}
	var typeError *json.UnmarshalTypeError
	if err := Unmarshal([]byte(`{"Role":1,"role":2}`[9:]), &inner{}); errors.As(err, &typeError) {
		t.Errorf("not JSON: %v", err)
	}
}

func TestUnmarshalIsStrict(t *testing.T) {
	for _, test := range refused {
		var syntax *SyntaxError
		var v any
		if err := Unmarshal([]byte(test.text), &v); !errors.As(err, &syntax) || v != nil {
			t.Errorf("Unmarshal(%.100q): %v, %v", test.text, v, err)
		}
		if err := UnmarshalKnown([]byte(test.text), &v); !errors.As(err, &syntax) || v != nil {
			t.Errorf("UnmarshalKnown(%.100q): %v, %v", test.text, v, err)
		}
	}
	if err := Unmarshal([]byte(`{"role":"a","Role":"b"}`), &inner{}); err == nil {
		t.Error("a doubled name is accepted")
	}
}

// TestPointerToItself makes sure that the search ends. What encoding/json does then is its own affair.
func TestPointerToItself(t *testing.T) {
	type loop *loop
	var v any
	v = &v
	var p loop
	p = &p
	for _, into := range []any{&v, &p} {
		eachStray([]byte(`{"a":1}`), into, func(span) { t.Error("a struct was found") })
	}
}

func TestUnmarshalKnown(t *testing.T) {
	long := strings.Repeat("ä", 100)
	tests := []struct {
		name, data string
		into       any
		unknown    string // "" if all members are known
		offset     int
	}{
		{"all known", `{"role":"a","Any":{"x":1}}`, &inner{}, "", 0},
		{"empty", `{}`, &inner{}, "", 0},
		{"unknown", `{"role":"a", "roles":["admin"]}`, &inner{}, "roles", 13},
		{"case differs", `{"Role":"a"}`, &inner{}, "Role", 1},
		{"first of several", `{"x":{"y":1},"z":2}`, &inner{}, "x", 1},
		{"empty name", `{"":1}`, &inner{}, "", 1},
		{"in a slice", `[{"role":"a"},{"role":"a","b":1}]`, &[]inner{}, "b", 26},
		{"in a map", `{"any name":{"b":1}}`, &map[string]inner{}, "b", 13},
		{"in a nil pointer", `{"kids":[null,{"kids":[{"b":1}]}]}`, &tree{}, "b", 24},
		{"in an embedded struct", `{"Shared":"a","shared1":"b"}`, &struct{ *Embedded }{}, "shared1", 14},
		{"ambiguous", `{"Name":"a"}`, &struct {
			left
			right
		}{}, "Name", 1},
		{"in a type with its own method", `{"x":1}`, &custom{}, "", 0},
		{"in an interface", `{"x":{"y":1}}`, new(any), "", 0},
		{"in a pointer that an interface holds", `{"Data":{"x":1}}`, &struct{ Data any }{&inner{}}, "x", 9},
		{"escaped", `{"\u0072ole":"a","\u0000\"":1}`, &inner{}, "\x00\"", 17},
		{"long", `{"` + long + `":1}`, &inner{}, long[:64], 1},
		{"long, cut inside a character", `{"x` + long + `":1}`, &inner{}, "x" + long[:62], 1},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			err := UnmarshalKnown([]byte(test.data), test.into)
			var unknown *UnknownMemberError
			if test.offset == 0 {
				if err != nil {
					t.Error(err)
				}
			} else if !errors.As(err, &unknown) || unknown.Name != test.unknown || unknown.Offset != test.offset {
				t.Errorf("got %v, want %q at byte %d", err, test.unknown, test.offset)
			}
		})
	}
	err := UnmarshalKnown([]byte(`{"a\nb":"secret"}`), &inner{})
	if want := `unknown member "a\nb" at byte 1`; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
	var typeError *json.UnmarshalTypeError
	if err := UnmarshalKnown([]byte(`{"role":1}`), &inner{}); !errors.As(err, &typeError) {
		t.Errorf("got %v, want an error of encoding/json", err)
	}
}

// FuzzDecode compares the fields that are filled without encoding/json with what encoding/json makes of them.
func FuzzDecode(f *testing.F) {
	for _, test := range decodings() {
		f.Add([]byte(test.data))
	}
	type target struct {
		plain
		C    custom    `json:"c"`
		P    *plain    `json:"p"`
		W    time.Time `json:"w"`
		Any  any       `json:"any"`
		List []plain   `json:"list"`
		Pair [2]string `json:"pair"`
		Text text      `json:"text"`
		Map  map[string]int
	}
	f.Add([]byte(`{"s":"a","c":{"x":1},"p":{"i":1},"w":"2026-11-22T04:00:00Z","any":[1],"list":[{"s":"b"}],"pair":["a","b"],"text":"t","Map":{"x":1}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		if Valid(data) != nil {
			return
		}
		var direct, slow target
		got, want := Unmarshal(data, &direct), decode(data, &slow)
		if fmt.Sprint(got) != fmt.Sprint(want) || !reflect.DeepEqual(direct, slow) {
			t.Fatalf("%q: %+v, %v; encoding/json: %+v, %v", data, direct, got, slow, want)
		}
	})
}
