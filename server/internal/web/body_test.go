package web

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/iotest"
)

type sample struct {
	Name  string `json:"name"`
	Flag  bool   `json:"flag"`
	Inner struct {
		Count int `json:"count"`
	} `json:"inner"`
}

// post makes a request whose length is stated unless chunked.
func post(contentType, body string, chunked bool) *http.Request {
	r := httptest.NewRequest("POST", "/?name=query", strings.NewReader(body))
	r.Header.Set("Content-Type", contentType)
	if chunked {
		r.ContentLength = -1
	}
	return r
}

// statusOf answers the status of a *Problem, 0 for no error.
func statusOf(t *testing.T, err error) int {
	t.Helper()
	if err == nil {
		return 0
	}
	var p *Problem
	if !errors.As(err, &p) {
		t.Fatalf("%v is no problem", err)
	}
	return p.Status
}

func TestDecodeJSON(t *testing.T) {
	const media = "application/json"
	large := `{"name":"` + strings.Repeat("x", 10<<20) + `"}`
	exact := `{"name":"` + strings.Repeat("x", maxBody-11) + `"}`
	for name, c := range map[string]struct {
		media, body string
		chunked     bool
		want        int
	}{
		"good":               {media, `{"name":"ada","flag":true,"inner":{"count":3}}`, false, 0},
		"empty object":       {media, ` {} `, false, 0},
		"charset":            {"application/json; charset=UTF-8", `{}`, false, 0},
		"largest":            {media, exact, true, 0},
		"one byte more":      {media, exact + " ", true, 413},
		"largest, stated":    {media, exact, false, 0},
		"other charset":      {"application/json; charset=utf-16", `{}`, false, 415},
		"other parameter":    {"application/json; profile=utf-8", `{}`, false, 415},
		"no media type":      {"", `{}`, false, 415},
		"text":               {"text/plain", `{}`, false, 415},
		"form":               {mediaForm, `name=ada`, false, 415},
		"JSON suffix":        {"application/ld+json", `{}`, false, 415},
		"two media types":    {"application/json, text/plain", `{}`, false, 415},
		"10 MB":              {media, large, false, 413},
		"10 MB in chunks":    {media, large, true, 413},
		"empty":              {media, ``, false, 400},
		"not JSON":           {media, `name=ada`, false, 400},
		"null":               {media, `null`, false, 400},
		"array":              {media, `[]`, false, 400},
		"truncated":          {media, `{"name":"ada`, false, 400},
		"NUL":                {media, `{"name":"a\u0000"}`, false, 400},
		"NUL after escapes":  {media, `{"name":"\\\u0000"}`, false, 400},
		"no NUL":             {media, `{"name":"\\u0000\""}`, false, 0},
		"text after":         {media, `{} {}`, false, 400},
		"byte order mark":    {media, "\xef\xbb\xbf{}", false, 400},
		"unknown member":     {media, `{"name":"ada","roles":["admin"]}`, false, 400},
		"unknown inside":     {media, `{"inner":{"count":1,"x":2}}`, false, 400},
		"another case":       {media, `{"Name":"ada"}`, false, 400},
		"doubled member":     {media, `{"name":"ada","name":"eve"}`, false, 400},
		"doubled, escaped":   {media, `{"name":"ada","n\u0061me":"eve"}`, false, 400},
		"doubled, folded":    {media, `{"name":"ada","NAME":"eve"}`, false, 400},
		"wrong type":         {media, `{"name":5}`, false, 400},
		"null for text":      {media, `{"name": null}`, false, 400},
		"null for an object": {media, `{"inner":null,"name":"ada"}`, false, 400},
		"null inside":        {media, `{"inner":{"count":null}}`, false, 0},
		"no null":            {media, `{"name":"null"}`, false, 0},
		"number for bool":    {media, `{"flag":1}`, false, 400},
		"fraction for count": {media, `{"inner":{"count":1.5}}`, false, 400},
		"invalid UTF-8":      {media, "{\"name\":\"\xff\"}", false, 400},
		"lone surrogate":     {media, `{"name":"\ud800"}`, false, 400},
		"too deep":           {media, `{"inner":` + strings.Repeat(`[`, 40) + strings.Repeat(`]`, 40) + `}`, false, 400},
	} {
		t.Run(name, func(t *testing.T) {
			var v sample
			err := DecodeJSON(httptest.NewRecorder(), post(c.media, c.body, c.chunked), &v)
			if got := statusOf(t, err); got != c.want {
				t.Errorf("status %d, want %d: %v", got, c.want, err)
			}
			if err != nil && (strings.Contains(err.Error(), "ada") || strings.Contains(err.Error(), "roles")) {
				t.Errorf("%v quotes the body", err)
			}
		})
	}
}

// TestFaults wants a detail that says what is wrong and where.
func TestFaults(t *testing.T) {
	for body, want := range map[string]string{
		`{"name":"ada","x":1}`:        "the body has an unknown member at byte 14",
		`{"name":5}`:                  "the body has a value of the wrong type at byte ",
		`{"name":"ada",}`:             "the body is not strict JSON: expected a member's name at byte 14",
		`{"name":"ada"`:               "the body is not strict JSON: text ends early at byte 13",
		`{"name":"ada","name":"ada"}`: "the body is not strict JSON: name appears twice in one object",
		`[]`:                          "the body is not a JSON object",
	} {
		var p *Problem
		if err := parseJSON([]byte(body), new(sample)); !errors.As(err, &p) || !strings.HasPrefix(p.Detail, want) {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
	for _, c := range []struct{ media, coding, want string }{
		{"text/plain", "", "send Content-Type: application/json"},
		{"", "", "send Content-Type: application/json"},
		{mediaJSON, "gzip", "send the body without Content-Encoding"},
	} {
		r := post(c.media, "{}", false)
		r.Header.Set("Content-Encoding", c.coding)
		var p *Problem
		if err := DecodeJSON(httptest.NewRecorder(), r, new(sample)); !errors.As(err, &p) || p.Status != 415 || p.Detail != c.want {
			t.Errorf("%v: %v", c, err)
		}
	}
}

func TestDecodeOptionalJSON(t *testing.T) {
	for _, c := range []struct {
		media, body string
		want        int
	}{{"", "", 0}, {mediaJSON, `{"name":"ada"}`, 0}, {"", "{}", 415}, {mediaJSON, "", 400}, {"text/plain", "", 415}} {
		r := post(c.media, c.body, false)
		if c.media == "" {
			r.Header.Del("Content-Type")
		}
		if got := statusOf(t, DecodeOptionalJSON(httptest.NewRecorder(), r, new(sample))); got != c.want {
			t.Errorf("%q of type %q: %d, want %d", c.body, c.media, got, c.want)
		}
	}
}

func TestDecodeForm(t *testing.T) {
	large := "name=" + strings.Repeat("x", 10<<20)
	for name, c := range map[string]struct {
		media, body string
		chunked     bool
		want        int
	}{
		"good":              {mediaForm, "name=ada+l&flag=%C3%A9", false, 0},
		"charset":           {mediaForm + ";charset=utf-8", "name=ada", false, 0},
		"empty":             {mediaForm, "", false, 0},
		"JSON":              {mediaJSON, `{}`, false, 415},
		"multipart":         {"multipart/form-data; boundary=x", "--x--", false, 415},
		"10 MB":             {mediaForm, large, false, 413},
		"10 MB in chunks":   {mediaForm, large, true, 413},
		"doubled":           {mediaForm, "name=ada&name=ada", false, 400},
		"doubled, escaped":  {mediaForm, "name=ada&n%61me=eve", false, 400},
		"doubled, once bad": {mediaForm, "name=&name=eve", false, 400},
		"bad escape":        {mediaForm, "name=%zz", false, 400},
		"semicolon":         {mediaForm, "name=ada;flag=1", false, 400},
		"NUL":               {mediaForm, "name=a%00da", false, 400},
		"newline":           {mediaForm, "name=a%0Ada", false, 400},
		"last of controls":  {mediaForm, "name=a%1Fda", false, 400},
		"DEL":               {mediaForm, "name=a%7Fda", false, 400},
		"first after DEL":   {mediaForm, "name=a%C2%80da~%7E", false, 0},
		"invalid UTF-8":     {mediaForm, "name=%ff", false, 400},
		"bad name":          {mediaForm, "na%00me=ada", false, 400},
	} {
		t.Run(name, func(t *testing.T) {
			form, err := DecodeForm(httptest.NewRecorder(), post(c.media, c.body, c.chunked))
			if got := statusOf(t, err); got != c.want {
				t.Errorf("status %d, want %d: %v", got, c.want, err)
			}
			if form.Get("name") == "query" {
				t.Error("a parameter of the URL counted")
			}
		})
	}
}

func TestDecodeFormLeavesOutEmpty(t *testing.T) {
	form, err := DecodeForm(httptest.NewRecorder(), post(mediaForm, "scope=&name=ada", false))
	if err != nil || form.Has("scope") || form.Get("name") != "ada" {
		t.Errorf("form = %v, %v", form, err)
	}
}

// TestReadForm leaves the parameters to who judges them, and refuses what has none.
func TestReadForm(t *testing.T) {
	form, err := ReadForm(httptest.NewRecorder(), post(mediaForm, "a=1&a=2&b=&c=%ff", false))
	if err != nil || len(form["a"]) != 2 || !form.Has("b") || form.Get("c") != "\xff" {
		t.Errorf("form = %v, %v", form, err)
	}
	for body, media := range map[string]string{"a=%zz": mediaForm, "a=b;c": mediaForm, `{"a":1}`: mediaJSON} {
		if form, err := ReadForm(httptest.NewRecorder(), post(media, body, false)); err == nil || len(form) > 0 {
			t.Errorf("%s: %v, %v", body, form, err)
		}
	}
}

// TestStatedLengthIsNotRead refuses what says that it is too long without reading it.
func TestStatedLengthIsNotRead(t *testing.T) {
	r := post(mediaJSON, "", false)
	r.Body = io.NopCloser(readerFunc(func([]byte) (int, error) {
		t.Error("the body was read")
		return 0, io.EOF
	}))
	r.ContentLength = maxBody + 1
	if got := statusOf(t, DecodeJSON(httptest.NewRecorder(), r, &sample{})); got != 413 {
		t.Errorf("status %d", got)
	}
}

// TestBodyThatBreaksOff: nobody takes a part of it for all.
func TestBodyThatBreaksOff(t *testing.T) {
	for media, begun := range map[string]string{mediaJSON: "{}", mediaForm: "name=ada"} {
		r := post(media, "", false)
		r.Body = io.NopCloser(io.MultiReader(strings.NewReader(begun), iotest.ErrReader(io.ErrUnexpectedEOF)))
		r.ContentLength = 10
		var err error
		if media == mediaJSON {
			err = DecodeJSON(httptest.NewRecorder(), r, &sample{})
		} else {
			_, err = DecodeForm(httptest.NewRecorder(), r)
		}
		if got := statusOf(t, err); got != 400 {
			t.Errorf("%s: status %d", media, got)
		}
	}
}

func TestMediaTypeStatedTwice(t *testing.T) {
	r := post(mediaJSON, "{}", false)
	r.Header.Add("Content-Type", mediaJSON)
	if got := statusOf(t, DecodeJSON(httptest.NewRecorder(), r, &sample{})); got != 415 {
		t.Errorf("status %d", got)
	}
	r = post(mediaJSON, "{}", false)
	r.Header.Set("Content-Encoding", "gzip")
	if got := statusOf(t, DecodeJSON(httptest.NewRecorder(), r, &sample{})); got != 415 {
		t.Errorf("compressed body: status %d", got)
	}
	r.Header.Set("Content-Encoding", "identity")
	if got := statusOf(t, DecodeJSON(httptest.NewRecorder(), r, &sample{})); got != 0 {
		t.Errorf("identity: status %d", got)
	}
}

type readerFunc func([]byte) (int, error)

func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

func FuzzParseJSON(f *testing.F) {
	f.Add([]byte(`{"name":"ada","flag":true,"inner":{"count":3}}`))
	f.Add([]byte(` {"name":"\ud83d\ude00"}`))
	f.Add([]byte(`{"name":"a","Name":"b"}`))
	f.Add([]byte(`null`))
	f.Fuzz(func(t *testing.T, data []byte) {
		var v, again sample
		if err := parseJSON(data, &v); err != nil {
			if statusOf(t, err) != 400 {
				t.Errorf("%v", err)
			}
			return
		}
		if err := parseJSON(data, &again); err != nil || v != again {
			t.Errorf("%q reads as %v and as %v, %v", data, v, again, err)
		}
	})
}

func FuzzParseForm(f *testing.F) {
	f.Add([]byte("grant_type=refresh_token&refresh_token=jrt_x&client_id=client_1"))
	f.Add([]byte("a=%00&a=b;c"))
	f.Add([]byte("=&&%C3%A9=+"))
	f.Fuzz(func(t *testing.T, data []byte) {
		form, err := parseForm(data)
		if err != nil {
			if statusOf(t, err) != 400 {
				t.Errorf("%v", err)
			}
			return
		}
		for name, values := range form {
			if len(values) != 1 || values[0] == "" || !IsText(name) || !IsText(values[0]) {
				t.Errorf("%q reads as %v", data, form)
			}
		}
		again, err := parseForm([]byte(form.Encode()))
		if err != nil || again.Encode() != form.Encode() {
			t.Errorf("%v written and read again is %v, %v", form, again, err)
		}
	})
}
