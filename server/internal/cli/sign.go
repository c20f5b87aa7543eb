package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/strictjson"
	"github.com/spf13/cobra"
)

// signFlags are the flags of jot sign.
type signFlags struct {
	key, kid, alg string
	typ           string
	lifetime      time.Duration
	claims        []string
	claimsFile    string
}

func newSignCommand() *cobra.Command {
	var f signFlags
	cmd := &cobra.Command{
		Use:   "sign --key FILE|- [flags]",
		Short: "Sign a token",
		Long: `Sign a token. It is the only thing on standard output.

  --claim name=value   a string
  --claim name:=JSON   a number, true, false, null, an array or an object

The times iat (now) and exp (--exp from now) are set unless the claims state
them. A claim given twice is refused. Without --key the key comes from
JOT_KEY.`,
		Example: `  jot sign --key key.jwk --claim iss=https://auth.example.com --claim sub=alice
  jot sign --key key.jwk --exp 1h --claim aud=petstore --claim 'roles:=["admin"]'
  jot sign --key key.jwk --typ at+jwt --claims claims.json > token
  echo '{"sub":"alice"}' | jot sign --key key.jwk --claims -`,
		Args:                  noArguments,
		RunE:                  func(cmd *cobra.Command, _ []string) error { return runSign(cmd, f) },
		DisableFlagsInUseLine: true,
	}
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.key, "key", "", "private or symmetric key `FILE`: JWK, JWK Set or PEM, - for standard input")
	flags.StringVar(&f.kid, "kid", "", "`ID` of the key to take from a JWK Set")
	flags.StringVar(&f.alg, "alg", "", "`ALG` of a key that doesn't name its own, as PEM never does")
	flags.StringVar(&f.typ, "typ", "JWT", "the header's `TYPE`, such as at+jwt for an access token")
	flags.DurationVar(&f.lifetime, "exp", 15*time.Minute, "`DURATION` until the token expires")
	flags.StringArrayVar(&f.claims, "claim", nil, "a claim, `NAME=VALUE` or NAME:=JSON; may be repeated")
	flags.StringVar(&f.claimsFile, "claims", "", "`FILE` with a JSON object of claims, - for standard input")
	return cmd
}

func runSign(cmd *cobra.Command, f signFlags) error {
	allowed, err := f.check()
	if err != nil {
		return err
	}
	claims, err := f.readClaims(cmd)
	if err != nil {
		return err
	}
	if err := f.addTimes(claims, cmd.Flags().Changed("exp"), time.Now()); err != nil {
		return err
	}
	payload, err := encodeClaims(claims)
	if err != nil {
		return err
	}
	key, err := f.signingKey(cmd, allowed)
	if err != nil {
		return err
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: f.typ})
	if err != nil {
		return err
	}
	token, err := signer.Sign(cmd.Context(), payload)
	if err != nil {
		return err
	}
	members, _ := readMembers(payload)
	for _, leak := range findLeaks(members) {
		warn(cmd, "%s", leak)
	}
	return printLine(cmd, []byte(token))
}

// check finds what is wrong with the flags before anything is read.
func (f signFlags) check() ([]jot.Algorithm, error) {
	if f.key == "" && os.Getenv("JOT_KEY") == "" {
		return nil, usagef("no key: give --key FILE, or set JOT_KEY; jot key generate makes one")
	}
	if err := readOnce(f.key, f.claimsFile); err != nil {
		return nil, err
	}
	return parseOptionalAlgorithm(f.alg)
}

// signingKey returns the one key that can sign, or the one that --kid names.
func (f signFlags) signingKey(cmd *cobra.Command, allowed []jot.Algorithm) (jot.SigningKey, error) {
	file, err := loadKeys(cmd, f.key, allowed)
	if err != nil {
		return nil, err
	}
	var found []jot.SigningKey
	for _, key := range file.keys {
		if key.signing != nil && (f.kid == "" || f.kid == key.id()) {
			found = append(found, key.signing)
		}
	}
	switch {
	case len(found) == 0 && f.kid != "":
		return nil, fmt.Errorf("no key with the ID %q can sign", f.kid)
	case len(found) == 0:
		return nil, errors.New("a public key can't sign: give the private key")
	case len(found) > 1:
		return nil, usagef("the set holds %d keys that can sign: choose one with --kid", len(found))
	case len(allowed) > 0 && found[0].Algorithm() != allowed[0]:
		return nil, fmt.Errorf("the key is for %s, not for %s: leave --alg out", found[0].Algorithm(), allowed[0])
	}
	return found[0], nil
}

// readClaims gathers the claims of the file and the flags.
func (f signFlags) readClaims(cmd *cobra.Command) (map[string]json.RawMessage, error) {
	claims := map[string]json.RawMessage{}
	if f.claimsFile != "" {
		data, err := readInput(cmd, f.claimsFile, "claims")
		if err != nil {
			return nil, err
		}
		if err := strictjson.Unmarshal(data, &claims); err != nil || claims == nil {
			return nil, fmt.Errorf("%s: the claims are not a JSON object: %w", f.claimsFile, orNull(err))
		}
	}
	for _, text := range f.claims {
		name, value, err := parseClaim(text)
		if err != nil {
			return nil, err
		}
		if _, taken := claims[name]; taken {
			return nil, usagef("claim %q is given twice", name)
		}
		claims[name] = value
	}
	return claims, nil
}

// orNull explains the one JSON text that decodes into a map without an error and isn't an object.
func orNull(err error) error {
	if err == nil {
		return errors.New("it is null")
	}
	return err
}

// dateClaims are numbers wherever they are defined (RFC 7519 §4.1, OpenID Connect Core §2).
var dateClaims = map[string]bool{"exp": true, "nbf": true, "iat": true, "auth_time": true}

// parseClaim reads NAME=VALUE, a string, or NAME:=JSON.
func parseClaim(text string) (name string, value json.RawMessage, err error) {
	name, content, found := strings.Cut(text, "=")
	name, isJSON := strings.CutSuffix(name, ":")
	switch {
	case !found || name == "":
		return "", nil, usagef("a claim is NAME=VALUE or NAME:=JSON")
	case !utf8.ValidString(text):
		return "", nil, usagef("claim %q is not UTF-8", name)
	case isJSON:
		if err := strictjson.Valid([]byte(content)); err != nil {
			return "", nil, usagef("claim %q: not JSON: %w; for a string write %s=…", name, err, name)
		}
		return name, json.RawMessage(content), nil
	case dateClaims[name]:
		return "", nil, usagef("claim %q is a number, in Unix seconds: write %s:=…", name, name)
	}
	value, err = encodeJSON(content)
	return name, value, err
}

// addTimes states when the token was issued and when it expires, where the claims don't.
func (f signFlags) addTimes(claims map[string]json.RawMessage, asked bool, now time.Time) error {
	_, stated := claims["exp"]
	if stated && asked {
		return usagef("exp is given twice: by --exp and by the claims")
	}
	if !stated {
		claims["exp"] = fmt.Appendf(nil, "%d", now.Add(f.lifetime).Unix())
	}
	if _, stated := claims["iat"]; !stated {
		claims["iat"] = fmt.Appendf(nil, "%d", now.Unix())
	}
	return nil
}

// encodeClaims writes the payload and holds it against what a verifier accepts: names that differ in case only, given one in
// the file and one in a flag, would be refused there.
func encodeClaims(claims map[string]json.RawMessage) (json.RawMessage, error) {
	payload, err := encodeJSON(claims)
	if err != nil {
		return nil, err
	}
	if err := strictjson.Valid(payload); err != nil {
		return nil, usagef("no verifier would accept these claims: %w", err)
	}
	return payload, nil
}
