package server

import (
	"context"
	"errors"
	"log/slog"
	"runtime/debug"
	"sync/atomic"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/telemetry"
	"github.com/jot-auth/jot/server/issuer"
)

// What is measured beside requests. docs/configuration.md tells how to read it.
var (
	logins         = telemetry.NewCounter("jot_logins_total", "Logins with a password, by outcome: ok, wrong, throttled, busy or error.", "outcome")
	sessions       = telemetry.NewCounter("jot_sessions_total", "Sessions that began.")
	tokensIssued   = telemetry.NewCounter("jot_access_tokens_total", "Access tokens that were signed.")
	refreshes      = telemetry.NewCounter("jot_refreshes_total", "Refreshes by what the presented token meant: rotated, repeated, reply_lost, reused or rewound.", "outcome")
	rules          = telemetry.NewGauge("jot_revocation_rules", "Revocation rules in force.")
	logSequence    = telemetry.NewGauge("jot_revocation_log_sequence", "Sequence number of the revocation log's head.")
	feedReaders    = telemetry.NewGauge("jot_feed_readers", "Streams of the revocation feed that are open.")
	keyAge         = telemetry.NewGauge("jot_signing_key_age_seconds", "How long the active key has been signing, and the next one has been published.", "algorithm", "state")
	rotation       = telemetry.NewGauge("jot_signing_key_rotation_seconds", "Seconds until the next key takes over.", "algorithm")
	hashing        = telemetry.NewGauge("jot_password_hashes", "Passwords that are being hashed, or wait for that.", "state")
	hashed         = telemetry.NewCounter("jot_password_hashes_total", "Passwords that were hashed.")
	connections    = telemetry.NewGauge("jot_database_connections", "Connections to the database, by pool, in use or idle.", "pool", "state")
	poolWaits      = telemetry.NewCounter("jot_database_waits_total", "How often a caller waited for a connection, by pool.", "pool")
	poolWaited     = telemetry.NewCounter("jot_database_wait_seconds_total", "How long callers waited for a connection, by pool.", "pool")
	writing        = telemetry.NewGauge("jot_database_writers", "Callers that write to the database, or wait for their turn.")
	letters        = telemetry.NewCounter("jot_letters_total", "Letters by what became of them: sent, retried (once for each try that failed), lost (given up) or refused (the outbox was full).", "outcome")
	waitingLetters = telemetry.NewGauge("jot_letters_waiting", "Letters that wait to be sent.")

	measures = []telemetry.Measure{
		logins, sessions, tokensIssued, refreshes, rules, logSequence, feedReaders, keyAge, rotation, hashing, hashed,
		connections, poolWaits, poolWaited, writing, letters, waitingLetters,
	}
)

func newMetrics() *telemetry.Metrics {
	build := telemetry.Build{Version: "unknown"}
	if info, ok := debug.ReadBuildInfo(); ok {
		build.Version = info.Main.Version
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				build.Commit = setting.Value
			}
		}
	}
	return telemetry.NewMetrics(build)
}

// measure reads each part's own numbers. It's the one place that knows both them and their names.
func (s *Server) measure(ctx context.Context, emit telemetry.Emit) {
	s.logins.emit(emit)
	emit(feedReaders, float64(s.feed.Streams()))
	inside, waiting, done := s.accounts.Hashing()
	emit(hashing, float64(inside), "inside")
	emit(hashing, float64(waiting), "waiting")
	emit(hashed, float64(done))
	emit(writing, float64(s.store.Writing()))
	for _, pool := range s.store.Stats() {
		emit(connections, float64(pool.InUse), pool.Name, "in_use")
		emit(connections, float64(pool.Open-pool.InUse), pool.Name, "idle")
		emit(poolWaits, float64(pool.Waits), pool.Name)
		emit(poolWaited, pool.Waited.Seconds(), pool.Name)
	}
	s.measureMail(emit)
	s.measureIssuer(ctx, emit)
}

// measureMail has no numbers of a server that sends no letters.
func (s *Server) measureMail(emit telemetry.Emit) {
	if s.outbox == nil {
		return
	}
	counts := s.outbox.Counts()
	emit(waitingLetters, float64(counts.Waiting))
	for outcome, count := range map[string]int{"sent": counts.Sent, "retried": counts.Retried, "lost": counts.Lost, "refused": counts.Refused} {
		emit(letters, float64(count), outcome)
	}
}

func (s *Server) measureIssuer(ctx context.Context, emit telemetry.Emit) {
	stats, err := s.issuer.Stats(ctx)
	emit(sessions, float64(stats.Sessions))
	emit(tokensIssued, float64(stats.Tokens))
	emit(rules, float64(stats.Rules))
	for outcome, count := range map[string]uint64{
		"rotated": stats.Refreshes.Rotated, "repeated": stats.Refreshes.Repeated, "reply_lost": stats.Refreshes.ReplyLost,
		"reused": stats.Refreshes.Reused, "rewound": stats.Refreshes.Rewound,
	} {
		emit(refreshes, float64(count), outcome)
	}
	if err != nil { // the database's own numbers are missing then
		s.logger.LogAttrs(ctx, slog.LevelWarn, "metrics: the database can't be read", slog.Any("error", err))
		return
	}
	emit(logSequence, float64(stats.LogSequence))
	for _, keys := range stats.Keys {
		algorithm := string(keys.Algorithm)
		if !keys.Active.IsZero() {
			emit(keyAge, stats.Now.Sub(keys.Active).Seconds(), algorithm, "active")
		}
		emit(keyAge, stats.Now.Sub(keys.Next).Seconds(), algorithm, "next")
		emit(rotation, keys.RotationDue.Sub(stats.Now).Seconds(), algorithm)
	}
}

// loginCounts count logins by outcome.
type loginCounts struct{ ok, wrong, throttled, busy, failed atomic.Uint64 }

func (c *loginCounts) count(err error) {
	_, throttled := errors.AsType[*issuer.ThrottledError](err)
	_, half := errors.AsType[*issuer.SecondFactorError](err)
	switch {
	case half: // its second half counts
	case err == nil:
		c.ok.Add(1)
	case errors.Is(err, issuer.ErrInvalidCredentials), errors.Is(err, issuer.ErrFactor), errors.Is(err, issuer.ErrPasskey), errors.Is(err, issuer.ErrCode):
		c.wrong.Add(1)
	case throttled:
		c.throttled.Add(1)
	case errors.Is(err, issuer.ErrBusy):
		c.busy.Add(1)
	default:
		c.failed.Add(1)
	}
}

func (c *loginCounts) emit(emit telemetry.Emit) {
	emit(logins, float64(c.ok.Load()), "ok")
	emit(logins, float64(c.wrong.Load()), "wrong")
	emit(logins, float64(c.throttled.Load()), "throttled")
	emit(logins, float64(c.busy.Load()), "busy")
	emit(logins, float64(c.failed.Load()), "error")
}

// countedAccounts are accounts whose logins are counted.
type countedAccounts struct {
	*accounts.Accounts
	counts *loginCounts
}

func (a countedAccounts) LogIn(ctx context.Context, name, password string, from issuer.Device) (issuer.Proof, error) {
	proof, err := a.Accounts.LogIn(ctx, name, password, from)
	a.counts.count(err)
	return proof, err
}

func (a countedAccounts) CompleteLogIn(ctx context.Context, challenge, code string, from issuer.Device) (issuer.Proof, error) {
	proof, err := a.Accounts.CompleteLogIn(ctx, challenge, code, from)
	a.counts.count(err)
	return proof, err
}

func (a countedAccounts) LogInWithPasskey(ctx context.Context, browser string, answer []byte, from issuer.Device) (issuer.Proof, error) {
	proof, err := a.Accounts.LogInWithPasskey(ctx, browser, answer, from)
	a.counts.count(err)
	return proof, err
}

func (a countedAccounts) CompleteWithPasskey(ctx context.Context, challenge string, answer []byte, from issuer.Device) (issuer.Proof, error) {
	proof, err := a.Accounts.CompleteWithPasskey(ctx, challenge, answer, from)
	a.counts.count(err)
	return proof, err
}
