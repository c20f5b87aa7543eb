// Command ownlogin is an API that has users of its own, in a table that it had before jot, and gives them jot's tokens:
// the login stays here, and sessions, refresh, logout and revocation are the token server's, which is mounted below
// /auth.
//
//	go run ./server/examples/ownlogin
package main

import (
	"context"
	"errors"
	"log"
	"net/http"
	"os"
	"os/signal"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/server"
)

const address = "127.0.0.1:8080"

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		log.Fatal(err)
	}
}

// run serves until the context ends.
func run(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "ownlogin-") // a real API names a directory that stays
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	key, err := server.SecretFile(filepath.Join(dir, "jot.kek"))
	if err != nil {
		return err
	}
	a, err := newApp(ctx, "http://"+address+"/auth", dir, key)
	if err != nil {
		return err
	}
	if err := a.addUser("ada", "correct horse battery staple", "keeper"); err != nil {
		return errors.Join(err, a.Close())
	}
	site := &http.Server{Addr: address, Handler: a.handler(), ReadHeaderTimeout: 5 * time.Second}
	log.Printf(`try: curl http://%s/login -d 'name=ada&password=correct horse battery staple'`, address)
	context.AfterFunc(ctx, func() { site.Close() })
	err = site.ListenAndServe()
	if errors.Is(err, http.ErrServerClosed) {
		err = nil
	}
	return errors.Join(err, a.Close())
}
