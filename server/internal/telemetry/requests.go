// Package telemetry tells operators what the server does: a log line a request, without a secret in it, and metrics.
package telemetry

import (
	"context"
	"crypto/rand"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// RequestIDHeader carries the ID of a request, made here, back to the client.
const RequestIDHeader = "Jot-Request-Id"

type recorderKey struct{}

// Requests says what becomes known of requests.
type Requests struct {
	Logger  *slog.Logger
	Address func(*http.Request) string // who it comes from; nil: left out
	Metrics *Metrics                   // counts them; nil: nobody does
}

// LogRequests logs each request, and no more.
func LogRequests(logger *slog.Logger, next http.Handler) http.Handler {
	return Requests{Logger: logger}.Handler(next)
}

// Handler logs each request when it has been answered: its ID, method, route, status, size, duration in milliseconds,
// the client's address, and the reason that [Explain] was given. The path, query, headers and bodies are left out,
// since they may hold tokens and names. What any cache may keep for everybody, such as a key set, is logged at the
// level debug. A handler that panics is answered with 500 and logged with its stack.
func (o Requests) Handler(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		started := time.Now()
		o.Metrics.begin()
		defer o.Metrics.end()
		answer := &recorder{ResponseWriter: w, id: rand.Text(), logger: o.Logger}
		w.Header().Set(RequestIDHeader, answer.id)
		r = r.WithContext(context.WithValue(r.Context(), recorderKey{}, answer))
		defer func() {
			if cause := recover(); cause != nil {
				answer.fail(cause)
			}
			o.tell(r, answer, time.Since(started))
			if answer.aborted {
				panic(http.ErrAbortHandler)
			}
		}()
		next.ServeHTTP(answer, r)
	})
}

// tell counts and logs an answer. The ID is an attribute like the others: a logger that has it already is made only
// where somebody asks for one.
func (o Requests) tell(r *http.Request, answer *recorder, took time.Duration) {
	method := knownMethod(r.Method)
	o.Metrics.observe(r.Pattern, method, answer.status, took)
	level := answer.level()
	if !o.Logger.Enabled(r.Context(), level) {
		return
	}
	attributes := []slog.Attr{
		slog.String("id", answer.id), slog.String("method", method), slog.String("route", r.Pattern),
		slog.Int("status", answer.status), slog.Int64("bytes", answer.bytes), slog.Float64("took_ms", milliseconds(took)),
	}
	if o.Address != nil {
		attributes = append(attributes, slog.String("client", o.Address(r)))
	}
	if answer.reason != "" {
		attributes = append(attributes, slog.String("reason", answer.reason))
	}
	o.Logger.LogAttrs(r.Context(), level, "request", attributes...)
}

// milliseconds have the unit in their name, and read the same as JSON and as text.
func milliseconds(d time.Duration) float64 {
	return float64(d.Round(time.Microsecond)) / float64(time.Millisecond)
}

// Logger returns the logger of Requests, which adds the ID of the request of this context. Outside of it, that is
// slog.Default.
func Logger(ctx context.Context) *slog.Logger {
	if answer, ok := ctx.Value(recorderKey{}).(*recorder); ok {
		return answer.logger.With(slog.String("id", answer.id))
	}
	return slog.Default()
}

// Explain puts into the line of the request of this context why it was refused: a code of ours, which repeats nothing
// that came with the request.
func Explain(ctx context.Context, reason string) {
	if answer, ok := ctx.Value(recorderKey{}).(*recorder); ok {
		answer.reason = reason
	}
}

// knownMethod keeps what a client made up out of the log.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return "other"
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	id      string
	logger  *slog.Logger
	status  int
	reason  string
	bytes   int64
	aborted bool
}

// Unwrap lets http.ResponseController reach the connection, for flushes and deadlines.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 && status >= 200 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(data []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(data)
	w.bytes += int64(n)
	return n, err
}

// level is how much an answer says about anybody.
func (w *recorder) level() slog.Level {
	if w.status < 400 && strings.HasPrefix(w.Header().Get("Cache-Control"), "public") {
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// fail answers a panic with 500, or cuts the connection where an answer had begun.
func (w *recorder) fail(cause any) {
	if cause == http.ErrAbortHandler {
		w.aborted = true
		return
	}
	w.logger.Error("a handler panicked", slog.String("id", w.id), slog.Any("cause", cause), slog.String("stack", string(debug.Stack())))
	if w.status != 0 {
		w.aborted = true
		return
	}
	http.Error(w, http.StatusText(http.StatusInternalServerError), http.StatusInternalServerError)
}
