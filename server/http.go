package server

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

// Bounds on each connection. Handlers answer well within the refresh grace, so that a client whose answer was lost may try again in time.
const (
	readHeaderTimeout = 5 * time.Second
	readTimeout       = 10 * time.Second
	writeTimeout      = 15 * time.Second // the feed's streams set their own, frame by frame
	idleTimeout       = time.Minute
	shutdownTimeout   = 10 * time.Second
	maxHeaderBytes    = 64 << 10

	// maxConnections is above the feed's bound on streams, so that verifiers leave room for people.
	maxConnections = 8192
)

// Serve answers requests on the listener until ctx ends, with a timeout on everything and at most 8192 connections; then it ends the feed's streams, lets
// requests that are under way finish for up to 10 seconds, and closes the listener. The Server itself stays open.
func (s *Server) Serve(ctx context.Context, listener net.Listener) error {
	server := &http.Server{
		Handler:           s.handler,
		ReadHeaderTimeout: readHeaderTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeaderBytes,
		ErrorLog:          slog.NewLogLogger(s.logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(netutil.LimitListener(listener, maxConnections)) }() // ends with Shutdown or Close below
	select {
	case err := <-failed:
		s.feed.EndStreams()
		return errors.Join(err, server.Close())
	case <-ctx.Done():
	}
	s.feed.EndStreams()
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	err := server.Shutdown(grace)
	if err != nil {
		err = errors.Join(err, server.Close())
	}
	<-failed
	return err
}
