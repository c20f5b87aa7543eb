package jose

import (
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
)

// accessToken is the payload of a typical access token (RFC 9068): 13 members, about 400 bytes.
const accessToken = `{"iss":"https://auth.example.com","sub":"usr_01JD8Z6Q3M4T9V2XK7W5","aud":"petstore","client_id":"client_petstore_web",` +
	`"exp":1763800000,"iat":1763799100,"jti":"5f0c7f3e9b4a4d1c8e2a6b7d","sid":"ses_01JD8Z7A1B2C3D4E5F6G","gen":7,` +
	`"scope":"pets:read pets:write offline_access","auth_time":1763790000,"amr":["pwd","otp"],` +
	`"licensedFeatures":["export","audit-log","sso","priority-support"]}`

func benchmark(b *testing.B, name string, size int, f func() error) {
	b.Run(name, func(b *testing.B) {
		b.ReportAllocs()
		b.SetBytes(int64(size))
		for b.Loop() {
			if err := f(); err != nil {
				b.Fatal(err)
			}
		}
	})
}

func BenchmarkScanner(b *testing.B) {
	var s Scanner
	scan := func(data []byte) func() error {
		return func() error {
			s.Reset(data)
			for s.Next() {
			}
			return s.Err()
		}
	}
	data, many := []byte(accessToken), []byte(manyMembers(1000, "x"))
	benchmark(b, "token", len(data), scan(data))
	benchmark(b, "token/json.Valid", len(data), func() error {
		_ = json.Valid(data)
		return nil
	})
	benchmark(b, "1001 members", len(many), scan(many))
	benchmark(b, "1001 members/json.Valid", len(many), func() error {
		_ = json.Valid(many)
		return nil
	})
}

func BenchmarkAppendDecode(b *testing.B) {
	encoded := base64.RawURLEncoding.EncodeToString([]byte(accessToken + " "))
	encoded = strings.Repeat(encoded, 2)[:540]
	buffer := make([]byte, 0, len(encoded))
	benchmark(b, "540 characters", len(encoded), func() error {
		_, err := AppendDecode(buffer, encoded)
		return err
	})
	benchmark(b, "540 characters/encoding/base64", len(encoded), func() error {
		_, err := base64.RawURLEncoding.AppendDecode(buffer, []byte(encoded))
		return err
	})
}

type accessClaims struct {
	Issuer   string   `json:"iss"`
	Subject  string   `json:"sub"`
	Audience string   `json:"aud"`
	Client   string   `json:"client_id"`
	Expires  int64    `json:"exp"`
	IssuedAt int64    `json:"iat"`
	ID       string   `json:"jti"`
	Session  string   `json:"sid"`
	Scope    string   `json:"scope"`
	Features []string `json:"licensedFeatures"`
}

func BenchmarkUnmarshal(b *testing.B) {
	data := []byte(accessToken)
	benchmark(b, "jose", len(data), func() error { return Unmarshal(data, new(accessClaims)) })
	benchmark(b, "encoding/json", len(data), func() error { return json.Unmarshal(data, new(accessClaims)) })
}
