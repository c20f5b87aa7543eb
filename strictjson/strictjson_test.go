package strictjson_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/jot-auth/jot/strictjson"
)

type account struct {
	Name string `json:"name"`
	Role string `json:"role"`
}

// doors are the three ways in, which must all be as strict.
var doors = map[string]func(data []byte) error{
	"Valid":          strictjson.Valid,
	"Unmarshal":      func(data []byte) error { return strictjson.Unmarshal(data, new(any)) },
	"UnmarshalKnown": func(data []byte) error { return strictjson.UnmarshalKnown(data, new(any)) },
}

func TestStrict(t *testing.T) {
	refused := []string{
		``, `{`, `{} {}`, `{"a":1,"a":2}`, `{"a":1,"A":2}`, `{"a":1,"\u0041":2}`, `[{"x":{"iss":1,"iſs":2}}]`, `{"k":1,"K":2}`,
		"\"\xff\"", `"\ud800"`, `[1,]`, `NaN`, `01`, "\ufeff{}", "\"\n\"", strings.Repeat("[", 33) + strings.Repeat("]", 33),
	}
	accepted := []string{
		`null`, ` {"a":{"a":1},"b":[{"a":1},{"a":2}]} `, `"\ud83d\ude00"`, `12345678901234567890`, `{"ä":1,"a":2}`,
		strings.Repeat("[", 32) + strings.Repeat("]", 32),
	}
	for name, door := range doors {
		for _, text := range refused {
			var syntax *strictjson.SyntaxError
			if err := door([]byte(text)); !errors.As(err, &syntax) {
				t.Errorf("%s(%.50q): %v, want a *SyntaxError", name, text, err)
			}
		}
		for _, text := range accepted {
			if err := door([]byte(text)); err != nil {
				t.Errorf("%s(%.50q): %v", name, text, err)
			}
		}
	}
}

func TestErrorsDoNotQuote(t *testing.T) {
	for _, text := range []string{`{"secret":1,"SECRET":2}`, `{"name":secret}`, `{"name":"secret`, `"secret" secret`, "\"secret\xff\""} {
		err := strictjson.Unmarshal([]byte(text), new(account))
		if err == nil || strings.Contains(strings.ToLower(err.Error()), "secret") {
			t.Errorf("Unmarshal(%q): %v", text, err)
		}
	}
	err := strictjson.UnmarshalKnown([]byte(`{"role":"a","\u001b[31m`+strings.Repeat("x", 10_000)+`":"secret"}`), new(account))
	if err == nil || strings.ContainsAny(err.Error(), "\x1b") || strings.Contains(err.Error(), "secret") || len(err.Error()) > 200 {
		t.Errorf("UnmarshalKnown: %v", err)
	}
}

func TestRefusedTextLeavesTheValue(t *testing.T) {
	v := account{Name: "before"}
	if strictjson.Unmarshal([]byte(`{"name":"after","x":1,"X":1}`), &v) == nil || v.Name != "before" {
		t.Errorf("Unmarshal: %+v", v)
	}
	if strictjson.UnmarshalKnown([]byte(`{"name":"after","x":1}`), &v) == nil || v.Name != "before" {
		t.Errorf("UnmarshalKnown: %+v", v)
	}
}

func TestDecodingErrors(t *testing.T) {
	var typeError *json.UnmarshalTypeError
	if err := strictjson.Unmarshal([]byte(`{"name":1}`), new(account)); !errors.As(err, &typeError) || typeError.Field != "name" {
		t.Errorf("Unmarshal: %v", err)
	}
	var invalid *json.InvalidUnmarshalError
	if err := strictjson.Unmarshal([]byte(`{"name":1}`), account{}); !errors.As(err, &invalid) {
		t.Errorf("Unmarshal: %v", err)
	}
}
