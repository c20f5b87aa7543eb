package libraries

import (
	"bytes"
	"strings"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jws"
)

const messageType = "order+json"

// payload is no JSON, so that nobody takes it for claims.
var payload = []byte("$.02 and \x00\xff")

// messagePair is newPair without the time that it takes to make RSA keys.
func messagePair(t *testing.T, alg jot.Algorithm) pair {
	t.Helper()
	if !strings.HasPrefix(string(alg), "RS") && !strings.HasPrefix(string(alg), "PS") {
		return newPair(t, alg)
	}
	material, err := sharedRSA()
	if err != nil {
		t.Fatal(err)
	}
	private, err := jot.NewPrivateKey(alg, material, jot.KeyOptions{})
	if err != nil {
		t.Fatal(err)
	}
	exported, err := private.ExportJWK()
	if err != nil {
		t.Fatal(err)
	}
	return pair{private, jot.NewKeySet(private.Public()), exported}
}

func newJWSSigner(t *testing.T, o jws.SignerOptions, pairs ...pair) *jws.Signer {
	t.Helper()
	o.Type = messageType
	var keys []jot.SigningKey
	for _, p := range pairs {
		keys = append(keys, p.signing)
	}
	signer, err := jws.NewSigner(o, keys...)
	if err != nil {
		t.Fatal(err)
	}
	return signer
}

func newJWSVerifier(t *testing.T, pairs ...pair) *jws.Verifier {
	t.Helper()
	var required []jot.KeySource
	for _, p := range pairs {
		required = append(required, p.source)
	}
	verifier, err := jws.NewVerifier(jws.VerifierOptions{Type: messageType, Unencoded: true}, required...)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

// joseSign signs with go-jose.
func joseSign(t *testing.T, o *jose.SignerOptions, pairs ...pair) *jose.JSONWebSignature {
	t.Helper()
	var keys []jose.SigningKey
	for _, p := range pairs {
		keys = append(keys, jose.SigningKey{Algorithm: jose.SignatureAlgorithm(p.signing.Algorithm()), Key: p.jose(t)})
	}
	signer, err := jose.NewMultiSigner(keys, o.WithType(messageType))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func (p pair) joseAlgorithm() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{jose.SignatureAlgorithm(p.signing.Algorithm())}
}

// joseReads checks that go-jose verifies a message of one signature.
func joseReads(t *testing.T, p pair, parsed *jose.JSONWebSignature, err error) {
	t.Helper()
	if err != nil {
		t.Fatal("go-jose can't read jot's message:", err)
	}
	got, err := parsed.Verify(public(p.jose(t)))
	if err != nil || !bytes.Equal(got, payload) {
		t.Fatalf("go-jose refuses jot's message: %q, %v", got, err)
	}
}

func jotReads(t *testing.T, m *jws.Message, err error, signatures int) {
	t.Helper()
	if err != nil || !bytes.Equal(m.Payload(), payload) || len(m.Signatures()) != signatures {
		t.Fatalf("jot refuses go-jose's message: %v, %v", m, err)
	}
}

func TestGoJoseMessages(t *testing.T) {
	for _, alg := range algorithms {
		t.Run(string(alg), func(t *testing.T) {
			p := messagePair(t, alg)
			signer, verifier, theirs := newJWSSigner(t, jws.SignerOptions{}, p), newJWSVerifier(t, p), joseSign(t, &jose.SignerOptions{}, p)

			compact, err := signer.Sign(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := jose.ParseSignedCompact(compact, p.joseAlgorithm())
			joseReads(t, p, parsed, err)
			if compact, err = theirs.CompactSerialize(); err != nil {
				t.Fatal(err)
			}
			message, err := verifier.Verify(t.Context(), []byte(compact))
			jotReads(t, message, err, 1)

			flattened, err := signer.SignJSON(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err = jose.ParseSignedJSON(string(flattened), p.joseAlgorithm())
			joseReads(t, p, parsed, err)
			message, err = verifier.Verify(t.Context(), []byte(theirs.FullSerialize()))
			jotReads(t, message, err, 1)
		})
	}
}

func TestGoJoseGeneral(t *testing.T) {
	ann, bob := newPair(t, jot.ES256), newPair(t, jot.HS512)
	ours, err := newJWSSigner(t, jws.SignerOptions{}, ann, bob).SignJSON(t.Context(), payload)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseSignedJSON(string(ours), append(ann.joseAlgorithm(), bob.joseAlgorithm()...))
	if err != nil {
		t.Fatal("go-jose can't read jot's message:", err)
	}
	for i, p := range []pair{ann, bob} {
		position, _, got, err := parsed.VerifyMulti(public(p.jose(t)))
		if err != nil || position != i || !bytes.Equal(got, payload) {
			t.Errorf("go-jose refuses signature %d of jot's message: %q at %d, %v", i, got, position, err)
		}
	}

	theirs := joseSign(t, &jose.SignerOptions{}, ann, bob).FullSerialize()
	message, err := newJWSVerifier(t, bob, ann).Verify(t.Context(), []byte(theirs))
	jotReads(t, message, err, 2)

	cosigned, err := newJWSSigner(t, jws.SignerOptions{}, newPair(t, jot.EdDSA)).Cosign(t.Context(), message)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err = jose.ParseSignedJSON(string(cosigned), []jose.SignatureAlgorithm{jose.ES256, jose.HS512, jose.EdDSA})
	if err != nil {
		t.Fatal("go-jose can't read what jot cosigned:", err)
	}
	if _, _, _, err := parsed.VerifyMulti(public(ann.jose(t))); err != nil {
		t.Error("go-jose refuses its own signature after jot cosigned:", err)
	}
}

// Detached payloads, encoded or not: go-jose offers both in compact serialization.
func TestGoJoseDetached(t *testing.T) {
	for _, alg := range []jot.Algorithm{jot.HS256, jot.RS256, jot.ES256, jot.EdDSA} {
		for _, unencoded := range []bool{false, true} {
			p := messagePair(t, alg)
			ours, err := newJWSSigner(t, jws.SignerOptions{Detached: true, Unencoded: unencoded}, p).Sign(t.Context(), payload)
			if err != nil {
				t.Fatal(err)
			}
			parsed, err := jose.ParseDetached(ours, payload, p.joseAlgorithm())
			joseReads(t, p, parsed, err)

			theirs, err := joseSign(t, (&jose.SignerOptions{}).WithBase64(!unencoded), p).DetachedCompactSerialize()
			if err != nil {
				t.Fatal(err)
			}
			message, err := newJWSVerifier(t, p).VerifyDetached(t.Context(), []byte(theirs), payload)
			jotReads(t, message, err, 1)
		}
	}
}
