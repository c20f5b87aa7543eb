package jot
import ("testing";"time";"fmt";"context";"strings";"github.com/jot-auth/jot/internal/jose";"encoding/json")
const accTok = `{"iss":"https://auth.example.com","sub":"usr_01JD8Z6Q3M4T9V2XK7W5","aud":"petstore","client_id":"client_petstore_web",` +
	`"exp":4102444800,"iat":1763799100,"jti":"5f0c7f3e9b4a4d1c8e2a6b7d","sid":"ses_01JD8Z7A1B2C3D4E5F6G","gen":7,` +
	`"scope":"pets:read pets:write offline_access","auth_time":1763790000,"amr":["pwd","otp"],` +
	`"licensedFeatures":["export","audit-log","sso","priority-support"]}`
func BenchmarkPhases(b *testing.B) {
	ctx := context.Background()
	key, _ := NewSecretKey(HS256, []byte(strings.Repeat("s", 32)), KeyOptions{KeyID: "2026-11-primary"})
	sg, _ := NewSigner(key, SignerOptions{Type: "at+jwt"})
	raw, err := sg.Sign(ctx, json.RawMessage(accTok))
	if err != nil { b.Fatal(err) }
	set := NewSecretKeySet(key)
	v, _ := NewVerifier(set, VerifierOptions{Issuer: "https://auth.example.com", Audience: "petstore", Type: "at+jwt"})
	s := new(scratch)
	for range 2 { if err := v.verify(ctx, raw, s); err != nil { b.Fatal(err) } }
	h, p, sig, _ := jose.Split(raw)
	st := key.material.macs.Get().(*macState)
	type c = struct{ name string; f func() }
	cs := []c{
		{"mac", func(){ st.mac(s.input) }},
		{"split", func(){ jose.Split(raw) }},
		{"find", func(){ v.headers.find(h) }},
		{"decodesig", func(){ s.signature, _ = jose.AppendDecode(s.signature[:0], sig) }},
		{"copy", func(){ s.input = append(s.input[:0], raw[:len(h)+1+len(p)]...) }},
		{"verifySignature", func(){ v.verifySignature(ctx, s) }},
		{"keys", func(){ v.keys.VerificationKeys(ctx, HS256, s.header.kid) }},
		{"VerifyInput", func(){ key.VerifyInput(s.input, s.signature) }},
		{"decode", func(){ s.payload, _ = jose.AppendDecode(s.payload[:0], p) }},
		{"scan", func(){ s.scanner.Reset(s.payload) }},
		{"readClaims", func(){ s.readClaims() }},
		{"policy", func(){ v.checkPolicy(s) }},
		{"times", func(){ v.checkTimes(&s.claims) }},
		{"now", func(){ time.Now() }},
		{"pool", func(){ v.giveBack(v.borrow()) }},
		{"Check", func(){ v.Check(ctx, raw) }},
		{"Verify", func(){ v.Verify(ctx, raw) }},
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

func BenchmarkRC(b *testing.B) {
	s := new(scratch)
	s.payload = []byte(accTok)
	for b.Loop() { s.payload = s.payload[:len(accTok)]; s.readClaims() }
}
