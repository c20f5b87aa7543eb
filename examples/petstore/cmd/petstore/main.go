// Petstore serves the example API of package petstore for the tokens of one jot server.
//
//	petstore -issuer http://127.0.0.1:8420 -feed-credential FILE
//
// It finds the issuer's keys by discovery, follows its revocation feed, and refuses what it can't be sure of. GET
// /health tells how the feed does.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/examples/petstore"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code := run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	stop()
	os.Exit(code)
}

// settings are the command line and the environment.
type settings struct {
	issuer, audience, listen string
	feedCredential           string // empty: no feed
}

// run serves until ctx ends. It returns 0 after a clean stop, 1 after a failure and 2 for wrong usage.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	s, err := parse(args, stdin, stderr)
	if errors.Is(err, flag.ErrHelp) {
		return 0
	}
	if err != nil {
		fmt.Fprintln(stderr, "petstore:", err)
		return 2
	}
	if err := serve(ctx, s, stdout, stderr); err != nil {
		fmt.Fprintln(stderr, "petstore:", err)
		return 1
	}
	return 0
}

// parse reads the flags. The credential comes from a file, standard input or the environment, because argument lists
// can be read by every process on the machine.
func parse(args []string, stdin io.Reader, stderr io.Writer) (settings, error) {
	var s settings
	flags := flag.NewFlagSet("petstore", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&s.issuer, "issuer", "", "`URL` of the jot server whose tokens are accepted")
	flags.StringVar(&s.audience, "audience", "petstore", "`audience` that tokens must name")
	flags.StringVar(&s.listen, "listen", "127.0.0.1:8081", "`address` to listen on")
	file := flags.String("feed-credential", "", "`FILE` with the revocation feed's bearer credential, - for standard input; default $JOT_FEED_CREDENTIAL")
	if err := flags.Parse(args); err != nil {
		return s, err
	}
	if s.issuer == "" || flags.NArg() > 0 {
		return s, errors.New("usage: petstore -issuer URL [-audience NAME] [-listen ADDRESS] [-feed-credential FILE]")
	}
	var err error
	s.feedCredential, err = readCredential(*file, stdin)
	return s, err
}

// readCredential takes the feed's credential from the named file, or the environment when none is named.
func readCredential(file string, stdin io.Reader) (string, error) {
	if file == "" {
		return os.Getenv("JOT_FEED_CREDENTIAL"), nil
	}
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return "", err
		}
		defer f.Close()
		stdin = f
	}
	text, err := io.ReadAll(io.LimitReader(stdin, 64<<10))
	if err != nil {
		return "", fmt.Errorf("reading the feed credential: %w", err)
	}
	credential := strings.TrimSpace(string(text))
	if credential == "" {
		return "", fmt.Errorf("the feed credential in %s is empty", file)
	}
	return credential, nil
}

// serve finds the issuer, and answers requests until ctx ends.
func serve(ctx context.Context, s settings, stdout, stderr io.Writer) error {
	uri, err := jwks.Discover(ctx, s.issuer, nil)
	if err != nil {
		return err
	}
	keys, err := jwks.NewSource(uri, jwks.Options{})
	if err != nil {
		return err
	}
	defer keys.Close()
	options := jot.VerifierOptions{Issuer: s.issuer, Audience: s.audience, Type: "at+jwt"}
	protected := petstore.Handler
	if s.feedCredential == "" {
		fmt.Fprintln(stderr, "petstore: WARNING: no feed credential: REVOCATIONS ARE NOT SEEN until tokens expire; give -feed-credential FILE")
	} else {
		feed, closeFeed, err := follow(s, stderr)
		if err != nil {
			return err
		}
		defer closeFeed()
		options.Revocation = feed
		protected = func(v *jot.Verifier) http.Handler { return petstore.FollowingHandler(v, feed) }
	}
	verifier, err := jot.NewVerifier(keys, options)
	if err != nil {
		return err
	}
	return listen(ctx, s.listen, protected(verifier), stdout, stderr)
}

// follow starts reading the issuer's revocation feed.
func follow(s settings, stderr io.Writer) (reader *revocation.Reader, closeFeed func(), err error) {
	base := strings.TrimSuffix(s.issuer, "/") + "/feed"
	keys, err := jwks.NewSource(base+"/jwks.json", jwks.Options{})
	if err != nil {
		return nil, nil, err
	}
	reader, err = revocation.NewReader(revocation.ReaderOptions{
		URL:        base,
		Issuer:     s.issuer,
		Keys:       keys,
		Credential: s.feedCredential,
		OnError:    func(err error) { fmt.Fprintln(stderr, "petstore: revocation feed:", err) },
	})
	if err != nil {
		keys.Close()
		return nil, nil, err
	}
	return reader, func() { reader.Close(); keys.Close() }, nil
}

// listen serves on the address until ctx ends, then lets requests under way finish.
func listen(ctx context.Context, address string, handler http.Handler, stdout, stderr io.Writer) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler:           handler,
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       10 * time.Second,
		WriteTimeout:      10 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10,
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(listener) }() // ends with Shutdown or Close below
	fmt.Fprintf(stdout, "petstore: listening on http://%s\n", listener.Addr())
	select {
	case err := <-failed:
		return err
	case <-ctx.Done():
	}
	fmt.Fprintln(stderr, "petstore: stopping")
	grace, cancel := context.WithTimeout(context.Background(), 10*time.Second) // a connection on which nothing came yet counts as busy for 5 s
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		server.Close()
		return fmt.Errorf("some requests did not finish: %w", err)
	}
	return nil
}
