package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"unicode/utf8"

	"github.com/jot-auth/jot/strictjson"
)

// MaxBody is the size of the largest request body that is read, in bytes.
const MaxBody = 64 << 10

// Media types of request bodies.
const (
	MediaJSON = "application/json"
	MediaForm = "application/x-www-form-urlencoded"
)

// MediaType answers the media type of the body, or a *Problem of status 415 when it is
// stated twice, compressed, or in another character set than UTF-8.
func MediaType(r *http.Request) (string, error) {
	unsupported := NewProblem(http.StatusUnsupportedMediaType, "")
	stated := r.Header.Values("Content-Type")
	if len(stated) != 1 || r.Header.Get("Content-Encoding") != "" {
		return "", unsupported
	}
	media, params, err := mime.ParseMediaType(stated[0])
	if err != nil {
		return "", unsupported
	}
	for name, value := range params {
		if name != "charset" || !strings.EqualFold(value, "utf-8") {
			return "", unsupported
		}
	}
	return media, nil
}

// DecodeJSON reads the body, one JSON object of at most 64 KiB, into the struct that v
// points to. Names are case-sensitive, and members that are doubled or that the struct
// doesn't have are refused. Its errors are *Problem: 415, 413, or 400.
func DecodeJSON(w http.ResponseWriter, r *http.Request, v any) error {
	data, err := readBody(w, r, MediaJSON)
	if err != nil {
		return err
	}
	return parseJSON(data, v)
}

func parseJSON(data []byte, v any) error {
	if !bytes.HasPrefix(bytes.TrimLeft(data, " \t\r\n"), []byte("{")) {
		return NewProblem(http.StatusBadRequest, "the body is not a JSON object")
	}
	if err := strictjson.UnmarshalKnown(data, v); err != nil {
		return NewProblem(http.StatusBadRequest, "the body is malformed, or has unknown, doubled or mistyped members")
	}
	return nil
}

// DecodeForm reads the parameters in the body, at most 64 KiB of them; those in the URL
// don't count. A parameter without a value is as good as absent, and one that comes twice
// or isn't clean text is refused (RFC 6749 section 3.2 and appendix A). Its errors are
// *Problem: 415, 413, or 400.
func DecodeForm(w http.ResponseWriter, r *http.Request) (url.Values, error) {
	data, err := readBody(w, r, MediaForm)
	if err != nil {
		return nil, err
	}
	return parseForm(data)
}

func parseForm(data []byte) (url.Values, error) {
	form, err := url.ParseQuery(string(data))
	if err != nil {
		return nil, NewProblem(http.StatusBadRequest, "the form is malformed")
	}
	for name, values := range form {
		if len(values) > 1 {
			return nil, NewProblem(http.StatusBadRequest, "the form has a doubled parameter")
		}
		if !isText(name) || !isText(values[0]) {
			return nil, NewProblem(http.StatusBadRequest, "the form is not clean UTF-8 text")
		}
		if values[0] == "" {
			delete(form, name)
		}
	}
	return form, nil
}

// isText says whether s is UTF-8 without control characters.
func isText(s string) bool {
	isControl := func(c rune) bool { return c < ' ' || c == 0x7f }
	return utf8.ValidString(s) && !strings.ContainsFunc(s, isControl)
}

// readBody answers the body if it is of the media type and not too long. A length that is
// stated is judged before a byte is read.
func readBody(w http.ResponseWriter, r *http.Request, media string) ([]byte, error) {
	stated, err := MediaType(r)
	if err != nil {
		return nil, err
	}
	if stated != media {
		return nil, NewProblem(http.StatusUnsupportedMediaType, "")
	}
	if r.ContentLength > MaxBody {
		return nil, NewProblem(http.StatusRequestEntityTooLarge, "")
	}
	data, err := io.ReadAll(http.MaxBytesReader(w, r.Body, MaxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, NewProblem(http.StatusRequestEntityTooLarge, "")
	case err != nil:
		return nil, NewProblem(http.StatusBadRequest, "the body could not be read")
	}
	return data, nil
}
