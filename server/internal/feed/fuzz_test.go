package feed

import (
	"net/http"
	"net/url"
	"strconv"
	"testing"
	"time"
)

// FuzzQuery: whatever a query asks for, what is taken of it is within its bounds, and can be asked for again in those
// words.
func FuzzQuery(f *testing.F) {
	const follows = "after=0&log=log&nonce=0123456789abcdef"
	for _, seed := range []string{
		"", "log=log", "log=log&key=key", "format=2&log=log&key=key", follows, follows + "&poll=1",
		follows + "&verifier=0123456789abcdef&max_staleness=10000", follows + "&verifier=0123456789abcdef&max_staleness=9223372036854775807", follows + "&after=1",
		"after=18446744073709551616&log=%00&nonce=;",
	} {
		f.Add(seed, "1")
	}
	s := &Server{registry: &registry{maxStaleness: time.Minute}}
	f.Fuzz(func(t *testing.T, query, sequence string) {
		r := &http.Request{URL: &url.URL{RawQuery: query}}
		r.SetPathValue("number", sequence)
		r.SetPathValue("sequence", sequence)
		asked, _ := url.ParseQuery(query)
		if j, err := s.parseJoin(r); err == nil {
			registered := !asked.Has("verifier") || asked.Get("verifier") == j.verifier
			if j.log == "" || len(j.log) > maxLogID || j.log != asked.Get("log") || !validNonce(j.nonce) || !validVerifier(j.verifier) || !registered ||
				j.maxStaleness <= 0 || j.maxStaleness > time.Minute || j.poll != asked.Has("poll") {
				t.Errorf("%q reads as %+v", query, j)
			}
		}
		if log, number, err := parseSegmentName(r); err == nil && (log == "" || len(log) > maxLogID || strconv.FormatUint(number, 10) != sequence) {
			t.Errorf("%q and %q name segment %d of %q", sequence, query, number, log)
		}
		if name, err := parseSnapshotName(r); err == nil && (name.log == "" || len(name.log) > maxLogID || name.key == "" || len(name.key) > maxKeyID || strconv.FormatUint(name.sequence, 10) != sequence) {
			t.Errorf("%q and %q name %+v", sequence, query, name)
		}
	})
}
