package revocation

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
)

// A reader is printed without the credential that opens the feed, in whichever way it's held.
func TestReaderPrintsNoCredential(t *testing.T) {
	key, _ := feedKey(t)
	o := newFakeFeed(t).options()
	o.Keys, o.Client = jot.NewKeySet(key.Public()), &http.Client{Transport: http.NewFileTransport(http.Dir(t.TempDir()))}
	reader, err := NewReader(o)
	if err != nil {
		t.Fatal(err)
	}
	reader.Close() // its goroutines would write what is printed
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x"} {
		for _, value := range []any{reader, struct{ r *Reader }{reader}, reader.client, struct{ c client }{*reader.client}} {
			if text := fmt.Sprintf(format, value); strings.Contains(text, "let-me-in") || strings.Contains(text, fmt.Sprintf("%x", "let-me-in")) {
				t.Errorf("%s prints %s", format, text)
			}
		}
	}
}
