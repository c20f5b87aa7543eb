package vectors

import (
	"bufio"
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "write what was found into docs/conformance.md")

// open opens a file of the collection.
func open(t *testing.T, name string) *os.File {
	t.Helper()
	folder := os.Getenv("JOT_VECTORS")
	if folder == "" {
		t.Skip("NOT RUN: the collection of vectors isn't part of the repository. Run JOT_VECTORS=/path/to/vectors go test ./interop/vectors; " +
			"Wycheproof's vectors always run, in ./interop/wycheproof")
	}
	file, err := os.Open(filepath.Join(folder, name))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { file.Close() })
	return file
}

// read reads the cases of a file, one JSON object a line.
func read(t *testing.T, name string) (cases []Case) {
	t.Helper()
	lines := bufio.NewScanner(open(t, name))
	for lines.Buffer(nil, 4<<20); lines.Scan(); {
		var c Case
		if err := json.Unmarshal(bytes.TrimSpace(lines.Bytes()), &c); err != nil {
			t.Fatal(err)
		}
		if len(c.Options.RequiredClaims) > 0 {
			t.Fatalf("%s requires claims, and this test doesn't know how", c.ID)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil || len(cases) == 0 {
		t.Fatalf("%d cases, %v", len(cases), err)
	}
	return cases
}

func TestCollection(t *testing.T) {
	var results []Result
	for _, run := range []struct {
		file  string
		suite Suite
	}{
		{"all-jws.jsonl", JWS(signatureDeviations)},
		{"all-jwe.jsonl", JWE(encryptionDeviations)},
		{"all-jwk.jsonl", JWK(keyDeviations)},
		{"all-jwt.jsonl", JWT(claimsDeviations)},
		{"all-json.jsonl", JSON(textDeviations)},
	} {
		cases := read(t, run.file)
		t.Run(run.suite.Name, func(t *testing.T) { results = append(results, run.suite.Run(t, cases)) })
	}
	if !t.Failed() {
		HoldPage(t, "collection", Table(results), *update)
	}
}
