package jose

import (
	"encoding/json"
	"testing"
)

// Both toolchains write the same.
func TestMarshal(t *testing.T) {
	for _, test := range []struct {
		value any
		want  string
	}{
		{map[string]string{"a": "<&>"}, `{"a":"<&>"}`},
		{map[string]string{"a": "\ufffd"}, "{\"a\":\"\ufffd\"}"},
		{map[string]string{"a": `\ufffd`}, `{"a":"\\ufffd"}`},
		{map[string]string{"a": "\u2028"}, `{"a":"\u2028"}`},
		{struct{ A []int }{}, `{"A":null}`},
		{json.RawMessage(`{"a": 1}`), `{"a":1}`},
	} {
		got, err := Marshal(test.value)
		if err != nil || string(got) != test.want {
			t.Errorf("%v: %s, %v; want %s", test.value, got, err, test.want)
		}
	}
	for _, value := range []any{"\xff", map[string]string{"\xff": ""}, map[string]string{"a": `\` + "\xff"}, make(chan int)} {
		if got, err := Marshal(value); err == nil {
			t.Errorf("%q: %s", value, got)
		}
	}
}

func TestJoin(t *testing.T) {
	for _, test := range []struct {
		objects []string
		want    string
	}{
		{nil, `{}`},
		{[]string{`{}`}, `{}`},
		{[]string{`{"a":1}`}, `{"a":1}`},
		{[]string{` {"a":1} `, `{ }`, "{\n\"b\": 2\t}", `{"c":{"a":3}}`}, `{"a":1,"b": 2,"c":{"a":3}}`},
		{[]string{`{}`, `{"b":2}`}, `{"b":2}`},
	} {
		var objects [][]byte
		for _, object := range test.objects {
			objects = append(objects, []byte(object))
		}
		if got := string(Join(objects...)); got != test.want {
			t.Errorf("%q: %s, want %s", test.objects, got, test.want)
		}
	}
}

func TestParse(t *testing.T) {
	value, err := Parse([]byte(` "\u0061" `))
	if text, ok := value.Text(); err != nil || !ok || string(text) != "a" {
		t.Errorf("%q, %v", text, err)
	}
	if _, err := Parse([]byte("1 2")); err == nil {
		t.Error("two values were read as one")
	}
}
