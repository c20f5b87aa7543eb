package jose

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"os"
	"sort"
	"testing"
	"time"
)

func best(f func()) (float64, float64) {
	const batches, ops = 4000, 40
	all := make([]float64, batches)
	for i := range all {
		t := time.Now()
		for range ops {
			f()
		}
		all[i] = float64(time.Since(t).Nanoseconds()) / ops
	}
	sort.Float64s(all)
	return all[batches/50], all[batches/2]
}

func TestZZ(t *testing.T) {
	if os.Getenv("ZZ") == "" {
		return
	}
	d := make([]byte, 600)
	k := make([]byte, 32)
	var out [32]byte
	data := []byte(accessToken)
	var s Scanner
	enc := base64.RawURLEncoding.EncodeToString(data[:min(405, len(data))])
	buf := make([]byte, 0, 600)
	show := func(n string, f func()) { a, b := best(f); t.Logf("%-10s best %.0f median %.0f", n, a, b) }
	for range 3 {
		show("hmac", func() { h := hmac.New(sha256.New, k); h.Write(d); h.Sum(out[:0]) })
		show("scan", func() {
			s.Reset(data)
			for s.Next() {
			}
		})
		show("valid", func() { Valid(data) })
		show("json", func() { json.Valid(data) })
		show("b64", func() { AppendDecode(buf, enc) })
		show("stdb64", func() { base64.RawURLEncoding.AppendDecode(buf, []byte(enc)) })
	}
	t.Log(len(data), len(enc))
}
