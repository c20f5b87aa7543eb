package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/pgtest"
	"github.com/spf13/cobra"
)

// longRunning are the commands whose examples start servers, ask one or need the data of one; tests of their own run
// those.
var longRunning = map[string]bool{"serve": true, "demo": true, "health": true, "backup": true, "restore": true, "recover": true, "export": true}

// exampleFiles makes what the examples speak of, beside the keys.
const exampleFiles = `
jot key public --key key.jwk --out public.jwk
jot sign --key key.jwk --typ at+jwt --claim iss=https://auth.example.com --claim aud=petstore --claim sub=alice > token
printf '{"keys":[%s]}' "$(cat public.jwk)" > jwks.json
mkdir .well-known
cp jwks.json .well-known/
echo '{"sub":"alice"}' > claims.json
jot key generate --alg EdDSA --out other.jwk
jot key generate --out third.jwk
echo 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f > secret.hex
jot key generate --alg ECDH-ES+A256KW --out decryption.jwk
jot key generate --alg A256KW --out shared.jwk
jot key public --key decryption.jwk --out recipient.jwk
jot key convert --to pem --key decryption.jwk --out decryption.pem
jot key convert --to pem --key recipient.jwk --out recipient.pem
echo 'correct horse battery staple' > password
echo 'what it costs' > invoice.txt
jot sign --key key.jwk --payload invoice.txt --typ invoice > message
jot sign --key key.jwk --payload invoice.txt --typ invoice --detached > signature
echo 'dear friend' > letter.txt
echo 'to a friend' > address.txt
jot encrypt --key recipient.jwk letter.txt > letter.jwe
jot sign --key key.jwk --claim sub=alice --encrypt recipient.jwk > sealed
jot migrate up --data jot-data
`

// TestExamples runs every example of every help text, those of each command in a copy of the same files.
func TestExamples(t *testing.T) {
	prepared := t.TempDir()
	issuer := newIssuer(prepared)
	t.Cleanup(issuer.Close)
	writeExampleKeys(t, prepared)
	runShell(t, prepared, issuer.URL, exampleFiles)
	eachCommand(newRootCommand(), func(cmd *cobra.Command) {
		if cmd.Example == "" || longRunning[cmd.Name()] || isAdminCommand(cmd) {
			return
		}
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			dir := t.TempDir()
			runShell(t, dir, issuer.URL, "cp -Rp "+prepared+"/. .")
			runExamples(t, dir, issuer.URL, withDatabase(t, cmd.Example))
		})
	})
}

// exampleDatabase is what the examples call a PostgreSQL database.
const exampleDatabase = "postgres://jot@db.example.com/jot?sslmode=verify-full"

// withDatabase puts a real database in its place.
func withDatabase(t *testing.T, examples string) string {
	if !strings.Contains(examples, exampleDatabase) {
		return examples
	}
	return strings.ReplaceAll(examples, exampleDatabase, pgtest.Database(t))
}

func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, child := range cmd.Commands() {
		eachCommand(child, visit)
	}
}

var outFile = regexp.MustCompile(`--out (\S+)`)

// runExamples runs them line by line; a line that writes a file finds none of its name.
func runExamples(t *testing.T, dir, issuer, examples string) {
	for line := range strings.Lines(examples) {
		if name := outFile.FindStringSubmatch(line); name != nil {
			os.Remove(filepath.Join(dir, name[1]))
		}
		runShell(t, dir, issuer, line)
	}
}

// runShell runs a script in a directory. The issuer of the examples is the one at this address.
func runShell(t *testing.T, dir, issuer, script string) {
	t.Helper()
	cmd := exec.Command("sh", "-euc", strings.ReplaceAll(script, "https://auth.example.com", issuer))
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "JOT_KEY=", "JOT_TOKEN=", "GORACE="+noRaceSleep)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%s\n%v\n%s", script, err, out)
	}
}

// writeExampleKeys writes one key in every form.
func writeExampleKeys(t *testing.T, dir string) {
	t.Helper()
	material, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(t, err)
	key, err := jot.NewPrivateKey(jot.ES256, material, jot.KeyOptions{})
	check(t, err)
	jwk, err := key.ExportJWK()
	check(t, err)
	private, err := x509.MarshalPKCS8PrivateKey(material)
	check(t, err)
	public, err := x509.MarshalPKIXPublicKey(material.Public())
	check(t, err)
	certificate, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{}, material.Public(), material)
	check(t, err)
	for name, data := range map[string][]byte{
		"key.jwk":         jwk,
		"key.pem":         pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"public.pem":      pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
		"certificate.pem": pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate}),
	} {
		check(t, os.WriteFile(filepath.Join(dir, name), data, secretMode))
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
