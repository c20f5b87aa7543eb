package jwks

import (
	"encoding/json"
	"testing"
)

func FuzzReadMetadata(f *testing.F) {
	const issuer = "https://auth.example.com"
	for _, seed := range []string{
		"", "{}", `{"issuer":"https://auth.example.com","jwks_uri":"https://k.example/"}`, `{"issuer":"https://evil.example","jwks_uri":"x"}`,
		`{"issuer":"https://auth.example.com","Issuer":"x","jwks_uri":"x"}`, `{"issuer":7,"jwks_uri":[]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, document []byte) {
		uri, err := readMetadata(document, issuer)
		if err != nil {
			if uri != "" {
				t.Errorf("an address %q beside the error %v", uri, err)
			}
			return
		}
		var plain map[string]any
		if err := json.Unmarshal(document, &plain); err != nil || plain["issuer"] != issuer || plain["jwks_uri"] != uri || uri == "" {
			t.Errorf("took %q from %q", uri, document)
		}
	})
}
