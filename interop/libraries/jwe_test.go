package libraries

import (
	"bytes"
	"crypto/ecdh"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"

	"github.com/jot-auth/jot/jwe"
)

var (
	keyManagements = []jwe.Algorithm{
		jwe.RSA_OAEP, jwe.RSA_OAEP_256, jwe.ECDH_ES, jwe.ECDH_ES_A128KW, jwe.ECDH_ES_A192KW, jwe.ECDH_ES_A256KW,
		jwe.A128KW, jwe.A192KW, jwe.A256KW, jwe.A128GCMKW, jwe.A192GCMKW, jwe.A256GCMKW, jwe.Dir,
		jwe.PBES2_HS256_A128KW, jwe.PBES2_HS384_A192KW, jwe.PBES2_HS512_A256KW,
	}
	contentEncryptions = []jwe.Encryption{jwe.A128GCM, jwe.A192GCM, jwe.A256GCM, jwe.A128CBC_HS256, jwe.A192CBC_HS384, jwe.A256CBC_HS512}
)

const (
	password   = "correct horse battery staple"
	iterations = 2000 // few, for it's not the password that is tested here
)

var (
	plaintext  = []byte("attack at dawn \x00\xff")
	additional = []byte("for the general's eyes only")
)

// recipient is one key in jot's form and in go-jose's.
type recipient struct {
	encryption  jwe.EncryptionKey
	decryption  jwe.DecryptionKey
	joseEncrypt jose.Recipient
	joseDecrypt any
}

// sharedRSA is one RSA key for all tests: making one takes long.
var sharedRSA = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func newRecipient(t *testing.T, alg jwe.Algorithm, enc jwe.Encryption) recipient {
	t.Helper()
	switch {
	case alg == jwe.Dir:
		key, err := jwe.GenerateDirectKey(enc)
		return secretRecipient(t, key, err)
	case strings.HasPrefix(string(alg), "RSA"):
		material, err := sharedRSA()
		if err != nil {
			t.Fatal(err)
		}
		key, err := jwe.NewPrivateKey(alg, material, jwe.KeyOptions{})
		return privateRecipient(t, key, err)
	case strings.HasPrefix(string(alg), "ECDH"):
		key, err := jwe.GenerateKey(alg)
		return privateRecipient(t, key, err)
	case strings.HasPrefix(string(alg), "PBES2"):
		key, err := jwe.NewPassword(alg, []byte(password), jwe.PasswordOptions{Iterations: iterations})
		if err != nil {
			t.Fatal(err)
		}
		theirs := jose.Recipient{Algorithm: jose.KeyAlgorithm(alg), Key: password, PBES2Count: iterations}
		return recipient{key, key, theirs, password}
	}
	key, err := jwe.GenerateSecretKey(alg)
	return secretRecipient(t, key, err)
}

func secretRecipient(t *testing.T, key *jwe.SecretKey, err error) recipient {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	exported, err := key.ExportJWK()
	theirs := readJWK(t, exported, err)
	return recipient{key, key, jose.Recipient{Algorithm: jose.KeyAlgorithm(key.Algorithm()), Key: theirs}, theirs}
}

func privateRecipient(t *testing.T, key *jwe.PrivateKey, err error) recipient {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	exported, err := key.ExportJWK()
	theirs := readJWK(t, exported, err)
	return recipient{key.Public(), key, jose.Recipient{Algorithm: jose.KeyAlgorithm(key.Algorithm()), Key: theirs.Public()}, theirs}
}

// readJWK reads the key as go-jose does.
func readJWK(t *testing.T, exported []byte, err error) (key jose.JSONWebKey) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(exported, &key); err != nil {
		t.Fatal(err)
	}
	return key
}

// ours are an encrypter and a decrypter of jot.
func (r recipient) ours(t *testing.T, enc jwe.Encryption, o jwe.EncrypterOptions) (*jwe.Encrypter, *jwe.Decrypter) {
	t.Helper()
	encrypter, err := jwe.NewEncrypter(enc, o, r.encryption)
	if err != nil {
		t.Fatal(err)
	}
	decrypter, err := jwe.NewDecrypter(jwe.DecrypterOptions{Encryptions: []jwe.Encryption{enc}, Decompress: o.Compress}, r.decryption)
	if err != nil {
		t.Fatal(err)
	}
	return encrypter, decrypter
}

// theirs is a message that go-jose encrypted.
func (r recipient) theirs(t *testing.T, enc jwe.Encryption, o *jose.EncrypterOptions, additional []byte) *jose.JSONWebEncryption {
	t.Helper()
	encrypter, err := jose.NewEncrypter(jose.ContentEncryption(enc), r.joseEncrypt, o)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := encrypter.EncryptWithAuthData(plaintext, additional)
	if err != nil {
		t.Fatal(err)
	}
	return encrypted
}

func (r recipient) joseReads(t *testing.T, parsed *jose.JSONWebEncryption, err error, additional []byte) {
	t.Helper()
	if err != nil {
		t.Fatal("go-jose can't read jot's message:", err)
	}
	got, err := parsed.Decrypt(r.joseDecrypt)
	if err != nil || !bytes.Equal(got, plaintext) || !bytes.Equal(parsed.GetAuthData(), additional) {
		t.Fatalf("go-jose refuses jot's message: %q, %v", got, err)
	}
}

func jotDecrypts(t *testing.T, d *jwe.Decrypter, text string, additional []byte) {
	t.Helper()
	message, err := d.Decrypt(t.Context(), []byte(text))
	if err != nil {
		t.Fatal("jot refuses go-jose's message:", err)
	}
	if !bytes.Equal(message.Plaintext(), plaintext) || !bytes.Equal(message.Additional(), additional) {
		t.Fatalf("jot reads %q with %q", message.Plaintext(), message.Additional())
	}
}

// both sends messages both ways, in compact and in flattened serialization.
func (r recipient) both(t *testing.T, enc jwe.Encryption) {
	t.Helper()
	algorithms := []jose.KeyAlgorithm{r.joseEncrypt.Algorithm}
	encryptions := []jose.ContentEncryption{jose.ContentEncryption(enc)}
	encrypter, decrypter := r.ours(t, enc, jwe.EncrypterOptions{})

	compact, err := encrypter.Encrypt(plaintext)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseEncryptedCompact(compact, algorithms, encryptions)
	r.joseReads(t, parsed, err, nil)
	if compact, err = r.theirs(t, enc, nil, nil).CompactSerialize(); err != nil {
		t.Fatal(err)
	}
	jotDecrypts(t, decrypter, compact, nil)

	flattened, err := encrypter.EncryptJSON(plaintext, additional)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err = jose.ParseEncryptedJSON(string(flattened), algorithms, encryptions)
	r.joseReads(t, parsed, err, additional)
	jotDecrypts(t, decrypter, r.theirs(t, enc, nil, additional).FullSerialize(), additional)
}

func TestGoJoseEncryption(t *testing.T) {
	for _, alg := range keyManagements {
		for _, enc := range contentEncryptions {
			t.Run(fmt.Sprintf("%s %s", alg, enc), func(t *testing.T) { newRecipient(t, alg, enc).both(t, enc) })
		}
	}
}

// The other curves that go-jose knows: coordinates and shared secrets of 48 and 66 bytes.
func TestGoJoseCurves(t *testing.T) {
	for name, curve := range map[string]ecdh.Curve{"P-384": ecdh.P384(), "P-521": ecdh.P521()} {
		for _, alg := range []jwe.Algorithm{jwe.ECDH_ES, jwe.ECDH_ES_A256KW} {
			t.Run(name+" "+string(alg), func(t *testing.T) {
				material, err := curve.GenerateKey(rand.Reader)
				if err != nil {
					t.Fatal(err)
				}
				key, err := jwe.NewPrivateKey(alg, material, jwe.KeyOptions{})
				privateRecipient(t, key, err).both(t, jwe.A256CBC_HS512)
			})
		}
	}
}

func TestGoJoseCompression(t *testing.T) {
	r := newRecipient(t, jwe.A256KW, jwe.A256GCM)
	encrypter, decrypter := r.ours(t, jwe.A256GCM, jwe.EncrypterOptions{Compress: true})
	compact, err := encrypter.Encrypt(plaintext)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseEncryptedCompact(compact, []jose.KeyAlgorithm{jose.A256KW}, []jose.ContentEncryption{jose.A256GCM})
	r.joseReads(t, parsed, err, nil)

	theirs, err := r.theirs(t, jwe.A256GCM, &jose.EncrypterOptions{Compression: jose.DEFLATE}, nil).CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	jotDecrypts(t, decrypter, theirs, nil)
}

// joseGeneral returns go-jose's general serialization as it is, and without what doesn't belong there: go-jose 4.1.8
// repeats the first recipient's "encrypted_key" beside "recipients", where only the flattened form has it (RFC 7516
// §7.2.2). A message that is both forms at once can be read in two ways, so jot refuses it.
func joseGeneral(t *testing.T, encrypted *jose.JSONWebEncryption) (mixed, general []byte) {
	t.Helper()
	mixed = []byte(encrypted.FullSerialize())
	var members map[string]json.RawMessage
	if err := json.Unmarshal(mixed, &members); err != nil {
		t.Fatal(err)
	}
	delete(members, "encrypted_key")
	general, err := json.Marshal(members)
	if err != nil {
		t.Fatal(err)
	}
	return mixed, general
}

// One message for several recipients, in general serialization: each reads it alone.
func TestGoJoseSeveralRecipients(t *testing.T) {
	var recipients []recipient
	var keys []jwe.EncryptionKey
	var theirs []jose.Recipient
	var algorithms []jose.KeyAlgorithm
	for _, alg := range []jwe.Algorithm{jwe.RSA_OAEP_256, jwe.ECDH_ES_A128KW, jwe.A256KW, jwe.A192GCMKW} {
		r := newRecipient(t, alg, jwe.A128CBC_HS256)
		recipients, keys = append(recipients, r), append(keys, r.encryption)
		theirs, algorithms = append(theirs, r.joseEncrypt), append(algorithms, r.joseEncrypt.Algorithm)
	}
	encrypter, err := jwe.NewEncrypter(jwe.A128CBC_HS256, jwe.EncrypterOptions{}, keys...)
	if err != nil {
		t.Fatal(err)
	}
	ours, err := encrypter.EncryptJSON(plaintext, additional)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := jose.ParseEncryptedJSON(string(ours), algorithms, []jose.ContentEncryption{jose.A128CBC_HS256})
	if err != nil {
		t.Fatal("go-jose can't read jot's message:", err)
	}
	joseEncrypter, err := jose.NewMultiEncrypter(jose.A128CBC_HS256, theirs, nil)
	if err != nil {
		t.Fatal(err)
	}
	encrypted, err := joseEncrypter.EncryptWithAuthData(plaintext, additional)
	if err != nil {
		t.Fatal(err)
	}
	for i, r := range recipients {
		position, _, got, err := parsed.DecryptMulti(r.joseDecrypt)
		if err != nil || position != i || !bytes.Equal(got, plaintext) {
			t.Errorf("go-jose with the key for %s: %q at %d, %v", r.joseEncrypt.Algorithm, got, position, err)
		}
		_, decrypter := r.ours(t, jwe.A128CBC_HS256, jwe.EncrypterOptions{})
		mixed, general := joseGeneral(t, encrypted)
		if message, err := decrypter.Decrypt(t.Context(), mixed); message != nil || !errors.Is(err, jwe.ErrDecryption) {
			t.Errorf("a message of two forms at once: %v, %v", message, err)
		}
		jotDecrypts(t, decrypter, string(general), additional)
	}
}
