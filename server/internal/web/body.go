package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/jot-auth/jot/strictjson"
)

// maxBody is the size of the largest request body that is read, in bytes.
const maxBody = 64 << 10

const (
	mediaJSON = "application/json"
	mediaForm = "application/x-www-form-urlencoded"
)

// IsJSON reports whether the body is stated to be JSON.
func IsJSON(r *http.Request) bool { return mediaType(r) == mediaJSON }

// IsForm reports whether the body is stated to be a form.
func IsForm(r *http.Request) bool { return mediaType(r) == mediaForm }

// mediaType returns the media type of the body, and "" when it is absent, stated twice, or in
// another character set than UTF-8.
func mediaType(r *http.Request) string {
	stated := r.Header.Values("Content-Type")
	if len(stated) != 1 {
		return ""
	}
	media, params, err := mime.ParseMediaType(stated[0])
	if err != nil {
		return ""
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return ""
		}
	}
	return media
}

// DecodeJSON reads the body, one JSON object of at most 64 KiB, into the struct that v
// points to. Names are case-sensitive, and members that are doubled, that the struct
// doesn't have or that are null are refused. Its errors are *Problem: 415, 413, or 400. They
// say what is wrong and where, and never quote the body.
func DecodeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	data, err := readBody(w, r, mediaJSON)
	if err != nil {
		return err
	}
	return parseJSON(data, v)
}

// DecodeOptionalJSON is DecodeJSON, and leaves v as it is when there is neither a body nor a
// Content-Type.
func DecodeOptionalJSON(w http.ResponseWriter, r *http.Request, v any) error {
	if r.ContentLength == 0 && r.Header.Values("Content-Type") == nil {
		return nil
	}
	return DecodeJSON(w, r, v)
}

func parseJSON(data []byte, v any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return NewProblem(http.StatusBadRequest, "the body is not a JSON object")
	}
	if err := strictjson.UnmarshalKnown(data, v); err != nil {
		return NewProblem(http.StatusBadRequest, jsonFault(err))
	}
	if hasNUL(data) {
		return NewProblem(http.StatusBadRequest, "the body has a NUL character")
	}
	if hasNull(data) {
		return NewProblem(http.StatusBadRequest, "the body has a member that is null: leave out what stays as it is, and empty what is to go")
	}
	return nil
}

// hasNull reports whether a member of a strict JSON object is null. To one client that is as good as absent, and to
// another (RFC 7396) it takes away; and absent is what stands for all scopes, or for a rotation that isn't only
// rehearsed. Null inside of a member is that member's affair.
func hasNull(object []byte) bool {
	if !bytes.Contains(object, []byte("null")) {
		return false
	}
	var members map[string]json.RawMessage
	err := strictjson.Unmarshal(object, &members)
	isNull := func(value json.RawMessage) bool { return string(value) == "null" }
	return err != nil || slices.ContainsFunc(slices.Collect(maps.Values(members)), isNull)
}

// hasNUL reports whether a string of a JSON text has a NUL character, which PostgreSQL stores in no text. Strict JSON
// has it escaped.
func hasNUL(data []byte) bool {
	for {
		n := bytes.IndexByte(data, '\\')
		if n < 0 {
			return false
		}
		if bytes.HasPrefix(data[n:], []byte(`\u0000`)) {
			return true
		}
		data = data[n+2:] // an escaped backslash begins no other escape
	}
}

// jsonFault says what is wrong with a body, and where, without a word of it.
func jsonFault(err error) string {
	var syntax *strictjson.SyntaxError
	var unknown *strictjson.UnknownMemberError
	var mistyped *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("the body is not strict JSON: %s at byte %d", syntax.Reason, syntax.Offset)
	case errors.As(err, &unknown):
		return fmt.Sprintf("the body has an unknown member at byte %d", unknown.Offset)
	case errors.As(err, &mistyped):
		return fmt.Sprintf("the body has a value of the wrong type at byte %d", mistyped.Offset)
	}
	return "the body can't be decoded"
}

// DecodeForm reads the parameters in the body, at most 64 KiB of them; those in the URL
// don't count. A parameter without a value is as good as absent, and one that comes twice
// or isn't clean text is refused (RFC 6749 §3.2 and appendix A). Its errors are
// *Problem: 415, 413, or 400.
func DecodeForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	data, err := readBody(w, r, mediaForm)
	if err != nil {
		return nil, err
	}
	return parseForm(data)
}

// ReadForm is DecodeForm for whoever passes the parameters on to where they are judged: it takes them doubled, without
// a value, or as anything but clean text.
func ReadForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	data, err := readBody(w, r, mediaForm)
	if err != nil {
		return nil, err
	}
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, NewProblem(http.StatusBadRequest, "the form is malformed")
	}
	return form, nil
}

func parseForm(data []byte) (url.Values, error) {
	form, err := parseParameters(string(data), "the form")
	maps.DeleteFunc(form, func(_ string, values []string) bool { return values[0] == "" })
	return form, err
}

// ParseQuery reads the parameters in a request's URL. One that comes twice or isn't clean text is refused with a
// *Problem: 400.
func ParseQuery(r *http.Request) (url.Values, error) {
	return parseParameters(r.URL.RawQuery, "the query")
}

func parseParameters(text, where string) (url.Values, error) {
	parameters, err := url.ParseQuery(text)
	if err != nil {
		return nil, NewProblem(http.StatusBadRequest, where+" is malformed")
	}
	for name, values := range parameters {
		if len(values) > 1 {
			return nil, NewProblem(http.StatusBadRequest, where+" has a doubled parameter")
		}
		if !IsText(name) || !IsText(values[0]) {
			return nil, NewProblem(http.StatusBadRequest, where+" is not clean UTF-8 text")
		}
	}
	return parameters, nil
}

// IsText reports whether s is UTF-8 without control characters.
func IsText(s string) bool {
	isControl := func(c rune) bool { return c < ' ' || c == 0x7f }
	return utf8.ValidString(s) && !strings.ContainsFunc(s, isControl)
}

// readBody answers the body if it is of the media type and not too long. A length that is
// stated is judged before a byte is read.
func readBody(w http.ResponseWriter, r *http.Request, media string) ([]byte, error) {
	if mediaType(r) != media {
		return nil, NewProblem(http.StatusUnsupportedMediaType, "send Content-Type: "+media)
	}
	if coding := r.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, NewProblem(http.StatusUnsupportedMediaType, "send the body without Content-Encoding")
	}
	if r.ContentLength > maxBody {
		return nil, errTooLarge
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, errTooLarge
	case err != nil:
		return nil, NewProblem(http.StatusBadRequest, "the body could not be read")
	}
	return data, nil
}

var errTooLarge = NewProblem(http.StatusRequestEntityTooLarge, "the body has more than 64 KiB")
