package jose

import (
	"encoding/base64"
	"encoding/json"
	"testing"
)

// accessToken is the payload of a typical access token (RFC 9068): 13 members, about 400 bytes.
const accessToken = `{"iss":"https://auth.example.com","sub":"usr_01JD8Z6Q3M4T9V2XK7W5","aud":"petstore","client_id":"client_petstore_web",` +
	`"exp":1763800000,"iat":1763799100,"jti":"5f0c7f3e9b4a4d1c8e2a6b7d","sid":"ses_01JD8Z7A1B2C3D4E5F6G","gen":7,` +
	`"scope":"pets:read pets:write offline_access","auth_time":1763790000,"amr":["pwd","otp"],` +
	`"licensedFeatures":["export","audit-log","sso"]}`

func BenchmarkScanner(b *testing.B) {
	data := []byte(accessToken)
	b.Run("jose", func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(len(data)))
		var s Scanner
		for b.Loop() {
			s.Reset(data)
			for s.Next() {
			}
			if s.Err() != nil {
				b.Fatal(s.Err())
			}
		}
	})
	b.Run("jose.Valid", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if err := Valid(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json.Valid", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if !json.Valid(data) {
				b.Fatal("invalid")
			}
		}
	})
}

func BenchmarkAppendDecode(b *testing.B) {
	plain := make([]byte, 405)
	for i := range plain {
		plain[i] = byte(i * 7)
	}
	encoded := base64.RawURLEncoding.EncodeToString(plain)
	buffer := make([]byte, 0, 512)
	b.Run("jose", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := AppendDecode(buffer, encoded); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encoding/base64", func(b *testing.B) {
		b.ReportAllocs()
		strict := base64.RawURLEncoding.Strict()
		for b.Loop() {
			if _, err := strict.AppendDecode(buffer, []byte(encoded)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
