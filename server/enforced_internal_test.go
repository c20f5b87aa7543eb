package server

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/jot-auth/jot/server/internal/openapi"
)

// TestDescribedWaits holds the OpenAPI document against the routes that refuse tokens: it names wait where a request
// may wait, and Jot-Cursor where an answer has it.
func TestDescribedWaits(t *testing.T) {
	text, err := openapi.Document("https://auth.example.com")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Paths map[string]map[string]json.RawMessage
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	found := 0
	for path, operations := range document.Paths {
		for method, operation := range operations {
			mayWait, refuses := refusing[strings.ToUpper(method)+" "+path]
			if refuses {
				found++
			}
			if waits := strings.Contains(string(operation), "#/components/parameters/Wait"); waits != mayWait {
				t.Errorf("%s %s: wait is described: %v", method, path, waits)
			}
			if cursor := strings.Contains(string(operation), "#/components/headers/Cursor"); cursor != refuses {
				t.Errorf("%s %s: a cursor is described: %v", method, path, cursor)
			}
		}
	}
	if found != len(refusing) {
		t.Errorf("of %d routes that refuse tokens %d are described", len(refusing), found)
	}
}
