package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"time"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// verifyFlags are the flags of jot verify.
type verifyFlags struct {
	key, jwks, issuerURL string
	algorithms           []string
	issuer, audience     string
	anyIssuer, anyAud    bool
	typ                  string
	leeway               time.Duration
	at                   string
	noExpiry, json       bool
}

func newVerifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [--key FILE | --jwks FILE-or-URL | --issuer URL] --iss ISS --aud AUD [flags] TOKEN|-",
		Short: "Check a token: signature, issuer, audience, times",
		Long: `Check a token: its signature, issuer, audience and times, and its type where
one is stated. Only the claims of a valid token are printed; --json prints the
verdict as one object.

The keys fix the algorithm, the token never chooses. Without --key, --jwks or
--issuer the key comes from JOT_KEY, without TOKEN the token from JOT_TOKEN.
Addresses are https, or http on this machine.

Exit codes: 0 valid, 1 an error (file, network, key source), 2 a wrong command
line, 3 invalid, 5 expired.`,
		Example: `  jot verify --key public.jwk --iss https://auth.example.com --aud petstore - < token
  jot verify --issuer https://auth.example.com --iss https://auth.example.com --aud petstore --typ at+jwt - < token
  jot verify --jwks https://auth.example.com/.well-known/jwks.json --any-iss --any-aud --json - < token
  jot verify --key public.pem --alg ES256 --any-iss --any-aud --at 2026-01-31T12:00:00Z --no-exp - < token`,
		Args:                  oneToken,
		RunE:                  func(cmd *cobra.Command, args []string) error { return runVerify(cmd, f, args) },
		DisableFlagsInUseLine: true,
	}
	f.addFlags(cmd)
	return cmd
}

func (f *verifyFlags) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.SortFlags = false
	flags.StringVar(&f.key, "key", "", "key `FILE`: JWK, JWK Set or PEM, - for standard input")
	flags.StringVar(&f.jwks, "jwks", "", "JWK Set, a `FILE or URL`")
	flags.StringVar(&f.issuerURL, "issuer", "", "`URL` of an issuer that says where its keys are (OpenID Connect Discovery)")
	flags.StringSliceVar(&f.algorithms, "alg", nil, "accept these algorithms only, a comma-separated `LIST`; needed for keys that don't name theirs")
	flags.StringVar(&f.issuer, "iss", "", "`ISS` that the token must come from")
	flags.StringVar(&f.audience, "aud", "", "`AUD` that the token must be meant for")
	flags.BoolVar(&f.anyIssuer, "any-iss", false, "accept any issuer")
	flags.BoolVar(&f.anyAud, "any-aud", false, "accept any audience, also none")
	flags.StringVar(&f.typ, "typ", "", "`TYPE` that the token must have, such as at+jwt (default any)")
	flags.DurationVar(&f.leeway, "leeway", 0, "`DURATION` by which clocks may differ")
	flags.StringVar(&f.at, "at", "", "verify as of this `TIME`: RFC 3339 or Unix seconds (default now)")
	flags.BoolVar(&f.noExpiry, "no-exp", false, "accept a token that never expires; an exp that is there still counts")
	flags.BoolVar(&f.json, "json", false, "print the verdict as JSON")
}

func runVerify(cmd *cobra.Command, f verifyFlags, args []string) error {
	options, err := f.options(cmd)
	if err != nil {
		return err
	}
	if err := readOnce(append([]string{f.key, f.jwks}, args...)...); err != nil {
		return err
	}
	token, err := f.verify(cmd, options, args)
	if err == nil {
		return f.accept(cmd, token, options.Now())
	}
	refused, ok := refusal(err)
	if !ok {
		return err
	}
	return f.refuse(cmd, refused)
}

func (f verifyFlags) verify(cmd *cobra.Command, options jot.VerifierOptions, args []string) (*jot.Token, error) {
	raw, err := readToken(cmd, args)
	if err != nil {
		return nil, err
	}
	keys, err := f.keySource(cmd, options.Algorithms)
	if err != nil {
		return nil, err
	}
	verifier, err := jot.NewVerifier(keys, options)
	if err != nil {
		return nil, err
	}
	return verifier.Verify(cmd.Context(), raw)
}

// options finds what is wrong with the flags before anything is read.
func (f verifyFlags) options(cmd *cobra.Command) (jot.VerifierOptions, error) {
	if err := f.checkChoices(cmd); err != nil {
		return jot.VerifierOptions{}, err
	}
	algorithms, err := parseAlgorithms(f.algorithms)
	if err != nil {
		return jot.VerifierOptions{}, err
	}
	now, err := parseClock(f.at)
	if err != nil {
		return jot.VerifierOptions{}, err
	}
	return jot.VerifierOptions{
		Issuer: f.issuer, AnyIssuer: f.anyIssuer,
		Audience: f.audience, AnyAudience: f.anyAud,
		Type: f.typ, AnyType: f.typ == "",
		Algorithms: algorithms, NoExpiry: f.noExpiry, Leeway: f.leeway, Now: now,
	}, nil
}

// checkChoices wants issuer and audience stated or waived, never forgotten, and one place to get keys from.
func (f verifyFlags) checkChoices(cmd *cobra.Command) error {
	places := slices.DeleteFunc([]string{f.key, f.jwks, f.issuerURL}, func(s string) bool { return s == "" })
	switch {
	case len(places) > 1:
		return usagef("--key, --jwks and --issuer exclude each other: give one")
	case len(places) == 0 && os.Getenv("JOT_KEY") == "":
		return usagef("no key to verify with: give --key FILE, --jwks FILE-or-URL or --issuer URL, or set JOT_KEY")
	case (f.issuer == "") != f.anyIssuer:
		return usagef("say which issuer the token must come from: --iss ISS, or --any-iss for any")
	case (f.audience == "") != f.anyAud:
		return usagef("say which audience the token must be meant for: --aud AUD, or --any-aud for any")
	case cmd.Flags().Changed("typ") && f.typ == "":
		return usagef("--typ is empty: state a type, or leave it out to accept any")
	case cmd.Flags().Changed("alg") && len(f.algorithms) == 0:
		return usagef("--alg is empty: state algorithms, or leave it out")
	case f.leeway < 0:
		return usagef("--leeway is negative")
	}
	return nil
}

// parseClock returns the clock that stands still at a time, or the real one.
func parseClock(at string) (func() time.Time, error) {
	if at == "" {
		return time.Now, nil
	}
	moment, err := time.Parse(time.RFC3339, at)
	if seconds, bad := strconv.ParseInt(at, 10, 64); bad == nil {
		moment, err = time.Unix(seconds, 0), nil
	}
	if err != nil {
		return nil, usagef("--at %.40q is no time: write 2026-01-31T12:00:00Z or Unix seconds", at)
	}
	return func() time.Time { return moment }, nil
}

// accept prints the claims, or the verdict with --json.
func (f verifyFlags) accept(cmd *cobra.Command, token *jot.Token, now time.Time) error {
	if f.json {
		return printObject(cmd, acceptance(token))
	}
	var claims bytes.Buffer
	if err := json.Indent(&claims, token.Payload(), "", "  "); err != nil {
		return err
	}
	until := "never expires"
	if expires := token.Expires(); !expires.IsZero() {
		until = "expires " + relative(expires.Unix(), now)
	}
	stderr := cmd.ErrOrStderr()
	what := printable(fmt.Sprintf("signed with %s key %s, %s", token.Algorithm(), token.KeyID(), until))
	fmt.Fprintln(stderr, styleFor(stderr).good("valid:"), what)
	return printLine(cmd, printableJSON(claims.Bytes()))
}

// refuse tells why, and gives the exit code.
func (f verifyFlags) refuse(cmd *cobra.Command, v verdict) error {
	if !f.json {
		return &statusError{v.exitCode(), errors.New("refused (" + v.Error + "): " + v.Detail)}
	}
	if err := printObject(cmd, v); err != nil {
		return err
	}
	return &statusError{code: v.exitCode()}
}
