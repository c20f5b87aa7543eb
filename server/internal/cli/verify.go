package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// verifyFlags are the flags of jot verify.
type verifyFlags struct {
	keys                     []string
	jwks, issuerURL          string
	algorithms               []string
	issuer, audience, typ    string
	anyIssuer, anyAud, noAud bool
	anyTyp, noTyp            bool
	leeway                   time.Duration
	at                       string
	noExpiry                 bool
	pastIssued               bool
	maxTTL                   time.Duration
	maxSize                  int
	opening                  openingFlags
	raw, unencoded           bool
	unprotectedAlg           bool
	understand               []string
	payload                  string
	json                     bool
}

// defaultTokenSize is the library's bound of a token, in bytes.
const defaultTokenSize = 16 << 10

func newVerifyCommand() *cobra.Command {
	var f verifyFlags
	cmd := &cobra.Command{
		Use:   "verify [--key FILE | --jwks FILE-or-URL | --issuer URL] --iss ISS --aud AUD [flags] TOKEN|-",
		Short: "Check a token: signature, issuer, audience, times",
		Long: `Check a token: its signature, issuer, audience, type and times. Only the
claims of a valid token are printed; --json prints the verdict as one object.

The keys fix the algorithm, the token never chooses. Without --key, --jwks or
--issuer the key comes from JOT_KEY, without TOKEN the token from JOT_TOKEN.
Addresses are https, or http on this machine. With --decrypt it opens a token
that was signed and then encrypted.

With --raw it checks a signed message that is not a token (JWS, RFC 7515), in
compact form or JSON, and prints its payload byte by byte; on a terminal, what
could steer it is escaped. Each --key must have signed. --payload is --raw for
a message without its payload. Extensions that you accept with --understand are
yours to heed: --json shows the protected headers in which they stand.

Exit codes: 0 valid, 1 an error (file, network, key source), 2 a wrong command
line, 3 invalid, 5 expired.`,
		Example: `  jot verify --key public.jwk --iss https://auth.example.com --aud petstore --typ at+jwt - < token
  jot verify --issuer https://auth.example.com --iss https://auth.example.com --aud petstore --typ at+jwt - < token
  jot verify --jwks https://auth.example.com/.well-known/jwks.json --any-iss --any-aud --any-typ --json - < token
  jot verify --key public.pem --alg ES256 --any-iss --any-aud --typ at+jwt --at 2026-01-31T12:00:00Z --no-exp - < token
  jot verify --key public.jwk --any-iss --any-aud --decrypt decryption.jwk - < sealed
  jot verify --key public.jwk --raw --typ invoice - < message
  jot verify --key public.jwk --payload invoice.txt --typ invoice - < signature`,
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
	flags.StringArrayVar(&f.keys, "key", nil, "key `FILE`: JWK, JWK Set or PEM, - for standard input; may be repeated with --raw")
	flags.StringVar(&f.jwks, "jwks", "", "JWK Set, a `FILE or URL`")
	flags.StringVar(&f.issuerURL, "issuer", "", "`URL` of an issuer that says where its keys are (OpenID Connect Discovery)")
	flags.StringSliceVar(&f.algorithms, "alg", nil, "accept these algorithms only, a comma-separated `LIST`; needed for keys that don't name theirs")
	flags.StringVar(&f.issuer, "iss", "", "`ISS` that the token must come from")
	flags.StringVar(&f.audience, "aud", "", "`AUD` that the token must be meant for")
	flags.BoolVar(&f.anyIssuer, "any-iss", false, "accept any issuer")
	flags.BoolVar(&f.anyAud, "any-aud", false, "accept any audience, also none")
	flags.BoolVar(&f.noAud, "no-aud", false, "accept only a token that names no audience")
	flags.StringVar(&f.typ, "typ", "", "`TYPE` that the token must have, such as at+jwt (default JWT, or none)")
	flags.BoolVar(&f.anyTyp, "any-typ", false, "accept any type")
	flags.DurationVar(&f.leeway, "leeway", 0, "`DURATION` by which clocks may differ")
	flags.StringVar(&f.at, "at", "", "verify as of this `TIME`: RFC 3339 or Unix seconds (default now)")
	flags.BoolVar(&f.noExpiry, "no-exp", false, "accept a token that never expires; an exp that is there still counts")
	flags.BoolVar(&f.pastIssued, "past-iat", false, "refuse a token whose iat lies ahead")
	flags.DurationVar(&f.maxTTL, "max-ttl", 0, "refuse a token that lives longer than `DURATION`, from iat to exp")
	flags.IntVar(&f.maxSize, "max-size", defaultTokenSize, "accept a token of at most `BYTES`")
	f.opening.addFlags(cmd)
	flags.BoolVar(&f.json, "json", false, "print the verdict as JSON")
	flags.BoolVar(&f.raw, "raw", false, "the message is not a token, its payload any bytes; what follows is for that")
	flags.StringVar(&f.payload, "payload", "", "`FILE` with the payload, where the message leaves it out")
	flags.BoolVar(&f.noTyp, "no-typ", false, "accept only a message that states no type")
	flags.BoolVar(&f.unencoded, "unencoded", false, "accept also a payload that was signed without base64url (RFC 7797)")
	flags.StringSliceVar(&f.understand, "understand", nil, understandUsage)
	flags.BoolVar(&f.unprotectedAlg, "unprotected-alg", false, "accept an algorithm that nothing protects: the key fixes it still")
}

func runVerify(cmd *cobra.Command, f verifyFlags, args []string) error {
	options, err := f.options(cmd)
	if err != nil {
		return err
	}
	if err := readOnce(slices.Concat(f.keys, []string{f.jwks, f.opening.file, f.payload}, args)...); err != nil {
		return err
	}
	if f.isRaw() {
		return verifyRaw(cmd, f, args)
	}
	now := options.Now()
	token, err := f.verify(cmd, options, args, now)
	if err != nil {
		return f.refuse(cmd, err)
	}
	return f.accept(cmd, token, now)
}

func (f verifyFlags) verify(cmd *cobra.Command, options jot.VerifierOptions, args []string, now time.Time) (*jot.Token, error) {
	raw, err := readToken(cmd, args, maxInput)
	if err != nil {
		return nil, err
	}
	places, err := f.keyPlaces(cmd, f.algorithms)
	if err != nil {
		return nil, err
	}
	verifier, err := jot.NewVerifier(places[0].source, options)
	if err != nil {
		return nil, err
	}
	verify := verifier.Verify
	if f.opening.file != "" {
		verify = func(_ context.Context, raw string) (*jot.Token, error) { return f.opening.open(cmd, verifier, raw) }
	}
	token, err := verify(cmd.Context(), raw)
	return token, f.advised(err, raw, places, now)
}

// options finds what is wrong with the flags before anything is read.
func (f verifyFlags) options(cmd *cobra.Command) (jot.VerifierOptions, error) {
	if err := f.checkPlaces(cmd); err != nil {
		return jot.VerifierOptions{}, err
	}
	if err := f.checkKind(cmd); err != nil {
		return jot.VerifierOptions{}, err
	}
	if err := errors.Join(checkNames("alg", f.algorithms, signingAlgorithms), f.opening.check(cmd)); err != nil {
		return jot.VerifierOptions{}, err
	}
	now, err := parseClock(f.at)
	if err != nil {
		return jot.VerifierOptions{}, err
	}
	return jot.VerifierOptions{
		Issuer: f.issuer, AnyIssuer: f.anyIssuer,
		Audience: f.audience, AnyAudience: f.anyAud, NoAudience: f.noAud,
		Type: f.typ, AnyType: f.anyTyp,
		Algorithms: algorithmsOf(f.algorithms), NoExpiry: f.noExpiry, Leeway: f.leeway, Now: now,
		RequirePastIssuedAt: f.pastIssued, MaxTTL: f.maxTTL, MaxSize: f.maxSize,
	}, nil
}

func algorithmsOf(names []string) []jot.Algorithm {
	var list []jot.Algorithm
	for _, name := range names {
		list = append(list, jot.Algorithm(name))
	}
	return list
}

// checkPlaces wants one place to get keys from.
func (f verifyFlags) checkPlaces(cmd *cobra.Command) error {
	places := slices.DeleteFunc([]string{strings.Join(f.keys, ""), f.jwks, f.issuerURL}, func(s string) bool { return s == "" })
	switch {
	case len(places) > 1:
		return usagef("--key, --jwks and --issuer exclude each other: give one")
	case len(places) == 0 && os.Getenv("JOT_KEY") == "":
		return usagef("no key to verify with: give --key FILE, --jwks FILE-or-URL or --issuer URL, or set JOT_KEY")
	case cmd.Flags().Changed("alg") && len(f.algorithms) == 0:
		return usagef("--alg is empty: state algorithms, or leave it out")
	}
	return nil
}

// checkToken wants issuer and audience stated or waived, never forgotten.
func (f verifyFlags) checkToken(cmd *cobra.Command) error {
	switch {
	case len(f.keys) > 1:
		return usagef("a token has one signature: give one --key, or a JWK Set")
	case f.issuerURL != "" && f.issuer == "" && !f.anyIssuer:
		return usagef("--issuer says where the keys are; say which issuer the token must come from, too: --iss %s, or --any-iss for any", f.issuerURL)
	case count(f.issuer != "", f.anyIssuer) != 1:
		return usagef("say which issuer the token must come from: --iss ISS, or --any-iss for any")
	case count(f.audience != "", f.anyAud, f.noAud) != 1:
		return usagef("say which audience the token must be meant for: --aud AUD, --any-aud for any, or --no-aud for none")
	case cmd.Flags().Changed("typ") && (f.typ == "" || f.anyTyp):
		return usagef("state a type with --typ, or accept any with --any-typ")
	case f.leeway < 0 || f.maxTTL < 0:
		return usagef("--leeway and --max-ttl are not negative")
	case f.maxSize < 1 || f.maxSize > maxInput:
		return usagef("--max-size is 1 to %d bytes", maxInput)
	}
	return nil
}

func count(stated ...bool) (n int) {
	for _, s := range stated {
		if s {
			n++
		}
	}
	return n
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
	what := printable(fmt.Sprintf("signed with %s, %s", keyName(string(token.Algorithm()), token.KeyID()), until))
	fmt.Fprintln(stderr, styleFor(stderr).good("valid:"), what)
	return printLine(cmd, printableJSON(claims.Bytes()))
}

// keyName names a key by its algorithm, and by its ID where it has one.
func keyName(alg, id string) string {
	if id == "" {
		return alg
	}
	return alg + " key " + id
}

// refuse tells why, and gives the exit code. An error that says nothing about the token stays as it is.
func (f verifyFlags) refuse(cmd *cobra.Command, err error) error {
	v, ok := rejection(err)
	if !ok {
		return err
	}
	if !f.json {
		if advised, ok := errors.AsType[*advisedError](err); ok {
			v.Detail = advised.advice
		}
		return refusedFor(v, v.Detail)
	}
	if err := printObject(cmd, v); err != nil {
		return err
	}
	return &statusError{code: v.exitCode()}
}
