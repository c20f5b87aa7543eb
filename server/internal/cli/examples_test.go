package cli

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// longRunning are the commands whose examples start servers; tests of their own run those.
var longRunning = map[string]bool{"serve": true, "demo": true}

// exampleFiles makes what the examples speak of, beside the keys.
const exampleFiles = `
jot key public --key key.jwk --out public.jwk
jot sign --key key.jwk --typ at+jwt --claim iss=https://auth.example.com --claim aud=petstore --claim sub=alice > token
printf '{"keys":[%s]}' "$(cat public.jwk)" > jwks.json
mkdir .well-known
cp jwks.json .well-known/
echo '{"sub":"alice"}' > claims.json
`

// TestExamples runs every example of every help text.
func TestExamples(t *testing.T) {
	eachCommand(newRootCommand(), func(cmd *cobra.Command) {
		if cmd.Example == "" || longRunning[cmd.Name()] {
			return
		}
		t.Run(cmd.CommandPath(), func(t *testing.T) { runExamples(t, cmd.Example) })
	})
}

func eachCommand(cmd *cobra.Command, visit func(*cobra.Command)) {
	visit(cmd)
	for _, child := range cmd.Commands() {
		eachCommand(child, visit)
	}
}

var outFile = regexp.MustCompile(`--out (\S+)`)

// runExamples runs them line by line; a line that writes a file finds none of its name.
func runExamples(t *testing.T, examples string) {
	dir := t.TempDir()
	issuer := newIssuer(dir)
	t.Cleanup(issuer.Close)
	shell := func(script string) {
		t.Helper()
		cmd := exec.Command("sh", "-euc", strings.ReplaceAll(script, "https://auth.example.com", issuer.URL))
		cmd.Dir = dir
		cmd.Env = append(os.Environ(), "JOT_KEY=", "JOT_TOKEN=", "GORACE="+noRaceSleep)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s\n%v\n%s", script, err, out)
		}
	}
	writeExampleKeys(t, dir)
	shell(exampleFiles)
	for line := range strings.Lines(examples) {
		if name := outFile.FindStringSubmatch(line); name != nil {
			os.Remove(filepath.Join(dir, name[1]))
		}
		shell(line)
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
	for name, data := range map[string][]byte{
		"key.jwk":    jwk,
		"key.pem":    pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}),
		"public.pem": pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: public}),
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
