package jws_test

import (
	"context"
	"errors"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

// Keys of RFC 7515, appendix A, and of RFC 7520, section 3. The key IDs of the former are those of appendix A.6.
const (
	rfcSecret      = `{"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"}`
	rfcRSA         = `{"kty":"RSA","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB","kid":"2010-12-29"}`
	rfcP256        = `{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0","kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"}`
	rfcP521        = `{"kty":"EC","crv":"P-521","x":"AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk","y":"ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"}`
	bilboRSA       = `{"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVTeT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBordaZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw","e":"AQAB"}`
	bilboP521      = `{"kty":"EC","kid":"bilbo.baggins@hobbiton.example","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1"}`
	cookbookSecret = `{"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"}`
)

// Payloads of RFC 7515, appendix A.1, and of RFC 7520, section 4, encoded.
const (
	joe   = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
	frodo = "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9hZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3ZXB0IG9mZiB0by4"
)

const (
	joeText   = "{\"iss\":\"joe\",\r\n \"exp\":1300819380,\r\n \"http://example.com/is_root\":true}"
	frodoText = "It’s a dangerous business, Frodo, going out your door. You step onto the road, and if you don't keep your feet, " +
		"there’s no knowing where you might be swept off to."
)

var rfcExamples = []struct {
	name     string
	keys     []rfcKey
	message  string
	detached string
	options  jws.VerifierOptions
	payload  string
}{
	{
		name: "RFC 7515 A.1 HS256", payload: joeText, options: jws.VerifierOptions{AnyType: true},
		keys:    []rfcKey{{jot.HS256, rfcSecret}},
		message: `eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.` + joe + `.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk`,
	},
	{
		name: "RFC 7515 A.2 RS256", payload: joeText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.RS256, rfcRSA}},
		message: `eyJhbGciOiJSUzI1NiJ9.` + joe + `.cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw`,
	},
	{
		name: "RFC 7515 A.3 ES256", payload: joeText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.ES256, rfcP256}},
		message: `eyJhbGciOiJFUzI1NiJ9.` + joe + `.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q`,
	},
	{
		name: "RFC 7515 A.4 ES512", payload: "Payload", options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.ES512, rfcP521}},
		message: `eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA.AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCAPZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn`,
	},
	{
		name: "RFC 7515 A.6 general, two signers", payload: joeText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.RS256, rfcRSA}, {jot.ES256, rfcP256}},
		message: `{"payload":"` + joe + `","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{"kid":"2010-12-29"},"signature":"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},{"protected":"eyJhbGciOiJFUzI1NiJ9","header":{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},"signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"}]}`,
	},
	{
		name: "RFC 7515 A.6 general, one of two signers", payload: joeText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.ES256, rfcP256}},
		message: `{"payload":"` + joe + `","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{"kid":"2010-12-29"},"signature":"cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw"},{"protected":"eyJhbGciOiJFUzI1NiJ9","header":{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},"signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"}]}`,
	},
	{
		name: "RFC 7515 A.7 flattened", payload: joeText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.ES256, rfcP256}},
		message: `{"payload":"` + joe + `","protected":"eyJhbGciOiJFUzI1NiJ9","header":{"kid":"e9bc097a-ce51-4036-9562-d2ade882db0d"},"signature":"DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"}`,
	},
	{
		name: "RFC 7520 4.1 RSA v1.5", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.RS256, bilboRSA}},
		message: `eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9.` + frodo + `.MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BDkoBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9UzpERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84ogoree7vjbU5y18kDquDg`,
	},
	{
		name: "RFC 7520 4.2 RSA-PSS, flattened", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.PS384, bilboRSA}},
		message: `{"payload":"` + frodo + `","protected":"eyJhbGciOiJQUzM4NCIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9","signature":"cu22eBqkYDKgIlTpzDXGvaFfz6WGoz7fUDcfT0kkOy42miAh2qyBzk1xEsnk2IpN6-tPid6VrklHkqsGqDqHCdP6O8TTB5dDDItllVo6_1OLPpcbUrhiUSMxbbXUvdvWXzg-UD8biiReQFlfz28zGWVsdiNAUf8ZnyPEgVFn442ZdNqiVJRmBqrYRXe8P_ijQ7p8Vdz0TTrxUeT3lm8d9shnr2lfJT8ImUjvAA2Xez2Mlp8cBE5awDzT0qI0n6uiP1aCN_2_jLAeQTlqRHtfa64QQSUmFAAjVKPbByi7xho0uTOcbH510a6GYmJUAfmWjwZ6oD4ifKo8DYM-X72Eaw"}`,
	},
	{
		name: "RFC 7520 4.3 ECDSA, general", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.ES512, bilboP521}},
		message: `{"payload":"` + frodo + `","signatures":[{"protected":"eyJhbGciOiJFUzUxMiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9","signature":"AE_R_YZCChjn4791jSQCrdPZCNYqHXCTZH0-JZGYNlaAjP2kqaluUIIUnC9qvbu9Plon7KRTzoNEuT4Va2cmL1eJAQy3mtPBu_u_sDDyYjnAMDxXPn7XrT0lw-kvAD890jl8e2puQens_IEKBpHABlsbEPX6sFY8OcGDqoRuBomu9xQ2"}]}`,
	},
	{
		name: "RFC 7520 4.4 HMAC", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.HS256, cookbookSecret}},
		message: `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9.` + frodo + `.s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`,
	},
	{
		name: "RFC 7520 4.5 detached, compact", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:     []rfcKey{{jot.HS256, cookbookSecret}},
		message:  `eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9..s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0`,
		detached: frodoText,
	},
	{
		name: "RFC 7520 4.5 detached, general", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:     []rfcKey{{jot.HS256, cookbookSecret}},
		message:  `{"signatures":[{"protected":"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9","signature":"s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"}]}`,
		detached: frodoText,
	},
	{
		name: "RFC 7520 4.6 some header fields protected", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.HS256, cookbookSecret}},
		message: `{"payload":"` + frodo + `","protected":"eyJhbGciOiJIUzI1NiJ9","header":{"kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"},"signature":"bWUSVaxorn7bEF1djytBd0kHv70Ly5pvbomzMWSOr20"}`,
	},
	{
		name: "RFC 7520 4.7 content alone protected", payload: frodoText, options: jws.VerifierOptions{NoType: true, UnprotectedAlgorithm: true},
		keys:    []rfcKey{{jot.HS256, cookbookSecret}},
		message: `{"payload":"` + frodo + `","signatures":[{"header":{"alg":"HS256","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037"},"signature":"xuLifqLGiblpv9zBpuZczWhNj1gARaLV3UxvxhJxZuk"}]}`,
	},
	{
		name: "RFC 7520 4.8 three signers", payload: frodoText, options: jws.VerifierOptions{NoType: true, UnprotectedAlgorithm: true},
		keys:    []rfcKey{{jot.HS256, cookbookSecret}, {jot.ES512, bilboP521}, {jot.RS256, bilboRSA}},
		message: `{"payload":"` + frodo + `","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{"kid":"bilbo.baggins@hobbiton.example"},"signature":"MIsjqtVlOpa71KE-Mss8_Nq2YH4FGhiocsqrgi5NvyG53uoimic1tcMdSg-qptrzZc7CG6Svw2Y13TDIqHzTUrL_lR2ZFcryNFiHkSw129EghGpwkpxaTn_THJTCglNbADko1MZBCdwzJxwqZc-1RlpO2HibUYyXSwO97BSe0_evZKdjvvKSgsIqjytKSeAMbhMBdMma622_BG5t4sdbuCHtFjp9iJmkio47AIwqkZV1aIZsv33uPUqBBCXbYoQJwt7mxPftHmNlGoOSMxR_3thmXTCm4US-xiNOyhbm8afKK64jU6_TPtQHiJeQJxz9G3Tx-083B745_AfYOnlC9w"},{"header":{"alg":"ES512","kid":"bilbo.baggins@hobbiton.example"},"signature":"ARcVLnaJJaUWG8fG-8t5BREVAuTY8n8YHjwDO1muhcdCoFZFFjfISu0Cdkn9Ybdlmi54ho0x924DUz8sK7ZXkhc7AFM8ObLfTvNCrqcI3Jkl2U5IX3utNhODH6v7xgy1Qahsn0fyb4zSAkje8bAWz4vIfj5pCMYxxm4fgV3q7ZYhm5eD"},{"protected":"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9","signature":"s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"}]}`,
	},
	{
		name: "RFC 7520 4.8 two of three signers", payload: frodoText, options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.HS256, cookbookSecret}, {jot.RS256, bilboRSA}},
		message: `{"payload":"` + frodo + `","signatures":[{"protected":"eyJhbGciOiJSUzI1NiJ9","header":{"kid":"bilbo.baggins@hobbiton.example"},"signature":"MIsjqtVlOpa71KE-Mss8_Nq2YH4FGhiocsqrgi5NvyG53uoimic1tcMdSg-qptrzZc7CG6Svw2Y13TDIqHzTUrL_lR2ZFcryNFiHkSw129EghGpwkpxaTn_THJTCglNbADko1MZBCdwzJxwqZc-1RlpO2HibUYyXSwO97BSe0_evZKdjvvKSgsIqjytKSeAMbhMBdMma622_BG5t4sdbuCHtFjp9iJmkio47AIwqkZV1aIZsv33uPUqBBCXbYoQJwt7mxPftHmNlGoOSMxR_3thmXTCm4US-xiNOyhbm8afKK64jU6_TPtQHiJeQJxz9G3Tx-083B745_AfYOnlC9w"},{"header":{"alg":"ES512","kid":"bilbo.baggins@hobbiton.example"},"signature":"ARcVLnaJJaUWG8fG-8t5BREVAuTY8n8YHjwDO1muhcdCoFZFFjfISu0Cdkn9Ybdlmi54ho0x924DUz8sK7ZXkhc7AFM8ObLfTvNCrqcI3Jkl2U5IX3utNhODH6v7xgy1Qahsn0fyb4zSAkje8bAWz4vIfj5pCMYxxm4fgV3q7ZYhm5eD"},{"protected":"eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9","signature":"s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"}]}`,
	},
	{
		name: "RFC 7797 4.1 encoded", payload: "$.02", options: jws.VerifierOptions{NoType: true},
		keys:    []rfcKey{{jot.HS256, rfcSecret}},
		message: `eyJhbGciOiJIUzI1NiJ9.JC4wMg.5mvfOroL-g7HyqJoozehmsaqmvTYGEq5jTI1gVvoEoQ`,
	},
	{
		name: "RFC 7797 4.2 unencoded and detached", payload: "$.02", options: jws.VerifierOptions{NoType: true, Unencoded: true},
		keys:     []rfcKey{{jot.HS256, rfcSecret}},
		message:  `eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19..A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY`,
		detached: "$.02",
	},
	{
		name: "RFC 7797 4.2 unencoded, flattened", payload: "$.02", options: jws.VerifierOptions{NoType: true, Unencoded: true},
		keys:    []rfcKey{{jot.HS256, rfcSecret}},
		message: `{"protected":"eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2UsImNyaXQiOlsiYjY0Il19","payload":"$.02","signature":"A5dxf2s96_n5FLueVuW1Z_vh161FwXZC4YLPff6dmDY"}`,
	},
}

// rfcKey is a JWK and the algorithm that the example uses it with.
type rfcKey struct {
	alg jot.Algorithm
	jwk string
}

func (k rfcKey) source(t *testing.T) jot.KeySource {
	t.Helper()
	o := jot.ParseOptions{Algorithm: k.alg}
	if k.alg.Symmetric() {
		key, err := jot.ParseSecretKey([]byte(k.jwk), o)
		if err != nil {
			t.Fatal(err)
		}
		return jot.NewSecretKeySet(key)
	}
	key, err := jot.ParsePublicKey([]byte(k.jwk), o)
	if err != nil {
		t.Fatal(err)
	}
	return jot.NewKeySet(key)
}

func TestRFCExamples(t *testing.T) {
	for _, example := range rfcExamples {
		t.Run(example.name, func(t *testing.T) {
			var required []jot.KeySource
			for _, key := range example.keys {
				required = append(required, key.source(t))
			}
			verifier := newVerifier(t, example.options, required...)
			verify := verifier.Verify
			if example.detached != "" {
				verify = func(ctx context.Context, message []byte) (*jws.Message, error) {
					return verifier.VerifyDetached(ctx, message, []byte(example.detached))
				}
			}
			message, err := verify(t.Context(), []byte(example.message))
			if err != nil {
				t.Fatal(err)
			}
			if !payloadIs(message, example.payload) {
				t.Errorf("payload %q", message.Payload())
			}
			for i, signature := range message.Signatures() {
				if signature.Algorithm() != example.keys[i].alg {
					t.Errorf("signature %d is of %v", i, signature.Algorithm())
				}
			}
		})
	}
}

// What the RFCs say is to be refused.
func TestRFCRefusals(t *testing.T) {
	verifier := newVerifier(t, jws.VerifierOptions{AnyType: true, Unencoded: true}, rfcKey{jot.HS256, rfcSecret}.source(t))
	for _, test := range []struct {
		name, message string
		kind          error
	}{
		{"RFC 7515 A.5 unsecured", "eyJhbGciOiJub25lIn0." + joe + ".", jot.ErrAlgorithm},
		{
			"RFC 7515 E extension that is not understood",
			"eyJhbGciOiJub25lIiwNCiAiY3JpdCI6WyJodHRwOi8vZXhhbXBsZS5jb20vVU5ERUZJTkVEIl0sDQogImh0dHA6Ly9leGFtcGxlLmNvbS9VTkRFRklORUQiOnRydWUNCn0.RkFJTA.", jot.ErrMalformed,
		},
		{
			"RFC 7797 6 unencoded without crit",
			`{"payload":"$.02","protected":"eyJhbGciOiJIUzI1NiIsImI2NCI6ZmFsc2V9","signature":"GsyM6AQJbQHY8aQKCbZSPJHzMRWo3HKIlcDuXof7nqs"}`, jot.ErrMalformed,
		},
	} {
		if message, err := verifier.Verify(t.Context(), []byte(test.message)); message != nil || !errors.Is(err, test.kind) || !errors.Is(err, jot.ErrInvalidToken) {
			t.Errorf("%s: %v, %v; want %v", test.name, message, err, test.kind)
		}
	}
}
