package cli

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/examples/petstore"
	"github.com/jot-auth/jot/jwks"
	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server"
)

// demoKeySetMaxAge lets the demo rotate its key after a second: a verifier may hold the key set for no longer.
const demoKeySetMaxAge = time.Second

// demoWorld is a token server and an API, each on its own port, which know each other only by HTTP.
type demoWorld struct {
	jot, petstore string // base URLs
	server        *server.Server

	closers []func() error // run in reverse
}

func startDemoWorld(ctx context.Context, dir string) (_ *demoWorld, err error) {
	w := &demoWorld{}
	defer func() {
		if err != nil {
			err = errors.Join(err, w.close())
		}
	}()
	credential, err := w.startServer(ctx, dir)
	if err != nil {
		return nil, err
	}
	verifier, err := w.newVerifier(ctx, credential)
	if err != nil {
		return nil, err
	}
	return w, w.startPetstore(petstore.Handler(verifier))
}

func (w *demoWorld) startServer(ctx context.Context, dir string) (feedCredential string, err error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	w.jot = "http://" + listener.Addr().String()
	config, feedCredential := development(w.jot, filepath.Join(dir, "data"), slog.New(slog.DiscardHandler))
	config.Issuer.KeySetMaxAge = demoKeySetMaxAge
	if w.server, err = server.New(ctx, config); err != nil {
		return "", errors.Join(err, listener.Close())
	}
	w.closers = append(w.closers, w.server.Close)
	serving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var stopped sync.WaitGroup
	var serveErr error
	stopped.Go(func() { serveErr = w.server.Serve(serving, listener) }) // ends with stop below
	w.closers = append(w.closers, func() error {
		stop()
		stopped.Wait()
		return serveErr
	})
	return feedCredential, nil
}

// newVerifier is what an API does to trust a jot server: its keys, its revocation feed, its own audience.
func (w *demoWorld) newVerifier(ctx context.Context, feedCredential string) (*jot.Verifier, error) {
	uri, err := jwks.Discover(ctx, w.jot, nil)
	if err != nil {
		return nil, err
	}
	keys, err := w.keySource(uri)
	if err != nil {
		return nil, err
	}
	feedKeys, err := w.keySource(w.jot + "/feed/jwks.json")
	if err != nil {
		return nil, err
	}
	feed, err := revocation.NewReader(revocation.ReaderOptions{URL: w.jot + "/feed", Issuer: w.jot, Keys: feedKeys, Credential: feedCredential})
	if err != nil {
		return nil, err
	}
	w.closers = append(w.closers, feed.Close)
	if err := feed.WaitFresh(ctx); err != nil {
		return nil, err
	}
	return jot.NewVerifier(keys, jot.VerifierOptions{Issuer: w.jot, Audience: "petstore", Type: "at+jwt", Revocation: feed})
}

func (w *demoWorld) keySource(url string) (*jwks.Source, error) {
	source, err := jwks.NewSource(url, jwks.Options{})
	if err == nil {
		w.closers = append(w.closers, source.Close)
	}
	return source, err
}

func (w *demoWorld) startPetstore(handler http.Handler) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	w.petstore = "http://" + listener.Addr().String()
	api := &http.Server{Handler: handler, ReadHeaderTimeout: 5 * time.Second, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, IdleTimeout: time.Minute}
	go api.Serve(listener) // ends with Close
	w.closers = append(w.closers, api.Close)
	return nil
}

// close ends what was started, the last first.
func (w *demoWorld) close() error {
	var errs []error
	for i := len(w.closers) - 1; i >= 0; i-- {
		errs = append(errs, w.closers[i]())
	}
	return errors.Join(errs...)
}
