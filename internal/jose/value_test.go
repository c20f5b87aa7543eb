package jose

import (
	"bytes"
	"fmt"
	"testing"
)

// valueOf returns the member "v" of an object, as the scanner finds it.
func valueOf(t *testing.T, text string) Value {
	t.Helper()
	var s Scanner
	s.Reset([]byte(`{"escaped\u0020before":"\n","v":` + text + `,"after":1}`))
	s.Next()
	s.Next()
	v := s.Value()
	if s.Next(); s.Next() || s.Err() != nil {
		t.Fatalf("%s: %v", text, s.Err())
	}
	return v
}

func TestKind(t *testing.T) {
	tests := map[string]Kind{
		"null": Null, "true": Bool, "false": Bool, "0": Number, "-1e5": Number, `""`: String, "[]": Array, "{}": Object,
	}
	for text, kind := range tests {
		if v := valueOf(t, text); v.Kind() != kind || string(v.Raw()) != text || v.Bool() != (text == "true") {
			t.Errorf("%s: kind %d, raw %s, %v", text, v.Kind(), v.Raw(), v.Bool())
		}
	}
	if v := (Value{}); v.Kind() != Invalid || v.Raw() != nil || v.Bool() {
		t.Error("the zero Value is something")
	}
}

func TestText(t *testing.T) {
	tests := map[string]string{
		`""`: "", `"a"`: "a", `"long enough for words"`: "long enough for words", `"ä"`: "ä",
		`"https:\/\/auth.example.com"`: "https://auth.example.com", `"\"\\\/\b\f\n\r\t"`: "\"\\/\b\f\n\r\t",
		`"\u0000\u00e4\u20AC"`: "\x00ä€", `"\ud83d\ude00!"`: "😀!", `"\\u0041"`: `\u0041`,
	}
	for text, want := range tests {
		v := valueOf(t, text)
		if got, ok := v.Text(); !ok || string(got) != want {
			t.Errorf("Text(%s) = %q, %v", text, got, ok)
		}
		if got := v.AppendString([]byte("kept")); string(got) != "kept"+want {
			t.Errorf("AppendString(%s) = %q", text, got)
		}
	}
	for _, text := range []string{"null", "true", "1", "[]", `["a"]`, "{}"} {
		v := valueOf(t, text)
		if got, ok := v.Text(); ok || got != nil {
			t.Errorf("Text(%s) = %q, %v", text, got, ok)
		}
		if got := v.AppendString([]byte("kept")); string(got) != "kept" {
			t.Errorf("AppendString(%s) = %q", text, got)
		}
	}
}

func TestTextAliases(t *testing.T) {
	data := []byte(`{"v":"abc"}`)
	var s Scanner
	s.Reset(data)
	s.Next()
	text, _ := s.Value().Text()
	if &text[0] != &data[6] {
		t.Error("Text copies a string without escapes")
	}
}

func elements(v Value) (list []string) {
	for e := v.Elements(); e.Next(); {
		text, _ := e.Value().Text()
		list = append(list, fmt.Sprintf("%d %s %s", e.Value().Kind(), e.Value().Raw(), text))
	}
	return list
}

func TestElements(t *testing.T) {
	tests := map[string][]string{
		`[]`: nil, `[ ]`: nil, `"[1]"`: nil, `{"a":[1]}`: nil, `1`: nil,
		`[1]`:                  {"3 1 "},
		`["a","b\u0062"]`:      {`4 "a" a`, `4 "b\u0062" bb`},
		`[ null , true,-1e5 ]`: {"1 null ", "2 true ", "3 -1e5 "},
		"[\n[1,[2,\"]\"]]\t,\r{\"a\":[\"}\"],\"b\\\"\":{}} , \"\\\"]\" ]": {`5 [1,[2,"]"]] `, `6 {"a":["}"],"b\"":{}} `, `4 "\"]" "]`},
	}
	for text, want := range tests {
		if got := elements(valueOf(t, text)); fmt.Sprint(got) != fmt.Sprint(want) {
			t.Errorf("Elements(%s) = %q, want %q", text, got, want)
		}
	}
	if got := elements(Value{}); got != nil {
		t.Errorf("the zero Value has elements %q", got)
	}
}

func TestElementsAfterTheLast(t *testing.T) {
	e := valueOf(t, `["a"]`).Elements()
	if !e.Next() || e.Next() || e.Next() || e.Value().Kind() != Invalid {
		t.Error("Elements goes on after the end")
	}
}

func TestValuesDoNotAllocate(t *testing.T) {
	text, list := valueOf(t, `"https:\/\/auth.example.com"`), valueOf(t, `["petstore",["x"],"store\n"]`)
	buffer := make([]byte, 0, 100)
	count := 0
	use := func() {
		buffer = text.AppendString(buffer[:0])
		for e := list.Elements(); e.Next(); {
			if text, ok := e.Value().Text(); ok && string(text) == "petstore" {
				count++
			}
			if e.Value().Kind() == Array {
				continue
			}
			buffer = e.Value().AppendString(buffer[:0])
		}
	}
	// The one allocation is Text's, for "store\n".
	if n := testing.AllocsPerRun(100, use); n != 1 {
		t.Errorf("%v allocations, want 1", n)
	}
}

// TestPlace makes sure that a text stands where Place says, in values and in their elements.
func TestPlace(t *testing.T) {
	data := []byte(` {"a" : "text", "list": [ "one" ,"t\\wo", ["x"], "three"], "escaped\\": "plain", "b":"\\n", "n":1}`)
	var found []string
	look := func(v Value) {
		start, end, ok := v.Place()
		if text, isText := v.Text(); ok != (isText && bytes.IndexByte(v.Raw(), '\\') < 0) || ok && string(data[start:end]) != string(text) {
			t.Errorf("%s: %d, %d, %v", v.Raw(), start, end, ok)
		}
		if ok {
			found = append(found, string(data[start:end]))
		}
	}
	var s Scanner
	for s.Reset(data); s.Next(); {
		look(s.Value())
		for e := s.Value().Elements(); e.Next(); {
			look(e.Value())
			for inner := e.Value().Elements(); inner.Next(); {
				look(inner.Value())
			}
		}
	}
	parsed, err := Parse(data)
	if err != nil || parsed.Kind() != Object {
		t.Error(err)
	}
	data = []byte(" \t\"alone\" ")
	if parsed, err = Parse(data); err != nil {
		t.Error(err)
	}
	look(parsed)
	if want := "[text one x three plain alone]"; fmt.Sprint(found) != want {
		t.Errorf("found %v, want %s", found, want)
	}
}
