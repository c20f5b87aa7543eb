package jose
import ("encoding/json";"testing";"time";"fmt";"crypto/hmac";"crypto/sha256";"encoding/base64")
var profOut []byte
func BenchmarkE(b *testing.B) {
	type c = struct{ name string; f func() }
	mac := hmac.New(sha256.New, make([]byte,32))
	input := make([]byte, 583)
	data := []byte(accessToken)
	strs := []byte(`{"iss":"https://auth.example.com","sub":"usr_01JD8Z6Q3M4T9V2XK7W5","aud":"petstore","client_id":"client_petstore_web","jti":"5f0c7f3e9b4a4d1c8e2a6b7d","sid":"ses_01JD8Z7A1B2C3D4E5F6G","scope":"pets:read pets:write offline_access"}           `)
	nums := []byte(`{"iss":"https://auth.example.com","sub":"usr_01JD8Z6Q3M4T9V2XK7W5","aud":"petstore","client_id":"client_petstore_web","exp":1763800000,"iat":1763799100,"jti":"5f0c7f3e9b4a4d1c8e2a6b7d","gen":7,"auth_time":1763790000,"sid":"ses_01JD8Z7A1B2C3D4E5F6G","scope":"pets:read pets:write offline_access"}           `)
	enc := base64.RawURLEncoding.EncodeToString(data)
	buf := make([]byte, 0, 600)
	var s Scanner
	cs := []c{
		{"reused", func(){ mac.Reset(); mac.Write(input); profOut = mac.Sum(profOut[:0]) }},
		{"AppendDecode", func(){ AppendDecode(buf, enc) }},
		{"Scanner", func(){ for s.Reset(data); s.Next(); {}; if s.Err() != nil { panic(1) } }},
		{"Reset strings", func(){ s.Reset(strs); if s.err != nil { panic(1) } }},
		{"Reset +numbers", func(){ s.Reset(nums); if s.err != nil { panic(1) } }},
		{"Reset", func(){ s.Reset(data) }},
		{"Scanner+Name+Value", func(){ n := 0; for s.Reset(data); s.Next(); { n += len(s.Name())+len(s.Value().Raw()) }; if s.Err() != nil || n == 0 { panic(1) } }},
		{"decode", func(){ var c accessClaims; s.Reset(data); if err := s.Decode(&c); err != nil { panic(err) } }},
		{"json.Unmarshal", func(){ var c accessClaims; if err := json.Unmarshal(data, &c); err != nil { panic(err) } }},
		{"new", func(){ m := hmac.New(sha256.New, input[:32]); m.Write(input); profOut = m.Sum(profOut[:0]) }},
		{"Valid", func(){ Valid(data) }},
	}
	rs := make([]time.Duration, len(cs))
	for round := 0; round < 6000; round++ {
		for i := range cs {
			s := time.Now(); for range 40 { cs[i].f() }; e := time.Since(s)
			if round==0 || e < rs[i] { rs[i] = e }
		}
	}
	for i := range cs { fmt.Printf("%-24s %8.1f ns  %.3f\n", cs[i].name, float64(rs[i])/40, float64(rs[i])/float64(rs[0])) }
}
