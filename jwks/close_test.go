package jwks_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/jwks"
)

func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{}
		issuer.answer(hanging)
		source := issuer.source(t, jwks.Options{})
		waiting := make(chan error)
		go func() {
			_, err := lookUp(source, "a")
			waiting <- err
		}()
		synctest.Wait()
		start := time.Now()
		closed := make(chan error)
		go func() { closed <- source.Close() }()
		if err := <-waiting; !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("waiting caller: %v, want ErrUnavailable", err)
		}
		if err := <-closed; err != nil {
			t.Error(err)
		}
		if waited := time.Since(start); waited != 0 {
			t.Errorf("Close waited %v for the fetch instead of ending it", waited)
		}
		if err := source.Close(); err != nil {
			t.Errorf("second Close: %v", err)
		}
		if _, err := lookUp(source, "a"); !errors.Is(err, jot.ErrUnavailable) {
			t.Errorf("after Close: %v, want ErrUnavailable", err)
		}
		issuer.expect(t, 1)
	})
}

// hesitant is a transport that needs a second to end a request that was given up.
type hesitant struct{ ended atomic.Bool }

func (h *hesitant) RoundTrip(r *http.Request) (*http.Response, error) {
	<-r.Context().Done()
	time.Sleep(time.Second)
	h.ended.Store(true)
	return nil, r.Context().Err()
}

func TestCloseWaitsForTheFetch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &hesitant{}
		source, err := jwks.NewSource(setURL, jwks.Options{Client: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		go lookUp(source, "a")
		synctest.Wait()
		source.Close()
		if !transport.ended.Load() {
			t.Error("Close returned while the fetch was under way")
		}
	})
}

// tidy is a transport that notes whether what a fetch used has been given back.
type tidy struct {
	http.RoundTripper
	context context.Context
	closed  bool
}

func (y *tidy) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := y.RoundTripper.RoundTrip(r)
	y.context = r.Context()
	response.Body = closer{response.Body, &y.closed}
	return response, err
}

type closer struct {
	io.Reader
	closed *bool
}

func (c closer) Close() error {
	*c.closed = true
	return nil
}

func TestFetchLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		transport := &tidy{RoundTripper: publish(t, "", newKey(t, "a"))}
		source, err := jwks.NewSource(setURL, jwks.Options{Client: &http.Client{Transport: transport}})
		if err != nil {
			t.Fatal(err)
		}
		want(t, source, "a", "a")
		synctest.Wait()
		if !transport.closed || !errors.Is(transport.context.Err(), context.Canceled) {
			t.Errorf("body closed: %v; context: %v", transport.closed, transport.context.Err())
		}
	})
}

func TestClosedSourceForgetsItsKeys(t *testing.T) {
	issuer := publish(t, "", newKey(t, "a"))
	source := issuer.source(t, jwks.Options{})
	want(t, source, "a", "a")
	source.Close()
	want(t, source, "a", "error")
	if state := source.State(); len(state.Keys) != 0 {
		t.Errorf("state after Close lists %v", state.Keys)
	}
}
