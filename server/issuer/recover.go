package issuer

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"slices"
	"time"

	"github.com/jot-auth/jot/revocation"
)

const (
	// recoverBatch is how many sessions are ended in one transaction, so that nobody who writes has to wait for long.
	recoverBatch = 1000
	// maxBehind is how far the database's clock may be behind what it showed before: issuing waits for so long.
	maxBehind = time.Minute
	// refuseAhead is by how much, at least, tokens are refused beyond the present: they count whole seconds (iat).
	refuseAhead = time.Second
)

// RecoverOptions say whose database is recovered. URL and KeyEncryptionKey are required.
type RecoverOptions struct {
	URL              string // of the issuer, as in Config
	KeyEncryptionKey []byte // seals the new keys

	// OlderKeyEncryptionKeys are those under which the keys of before may be sealed, as in Config: a backup can be
	// older than KeyEncryptionKey.
	OlderKeyEncryptionKeys [][]byte

	// KeyLost says that the key-encryption key of before is lost, and the private keys that it sealed, which a recovery
	// replaces, with it. Without that, a KeyEncryptionKey that doesn't open them is an error.
	KeyLost bool

	// ForeignIssuers are those of Config: logouts there may have been forgotten too, so their tokens of before are
	// refused.
	ForeignIssuers []ForeignIssuer

	// Witness is what was seen of the database before it went back; zero where nobody saw any.
	Witness Witness
}

// Recovery is what Recover did.
type Recovery struct {
	Before     revocation.Head // of the log that was replaced
	After      revocation.Head // of the new one
	LastRule   time.Time       // when the last rule of the old log was written; zero where it has none
	RefuseIat  time.Time       // access tokens that were issued before are refused
	Sessions   int             // that were ended
	SigningKey []string        // IDs of the keys that sign now
	Revoked    []string        // IDs of the signing keys of before
	Witness    Witness         // to be remembered from now on
}

// Recover makes a database safe to serve that has come back from the past: one that was restored from a backup, or a
// standby that was promoted before it had everything. Nobody knows what was revoked since, so everything is: a new log
// begins with a rule that refuses every access token of before, every session ends, every browser is signed out, and no
// key of before is used any more. Accounts, subjects and clients stay as the database has them; a ban or a new password
// that it doesn't know of is lost.
//
// Servers should be stopped. One that runs learns of its new keys at its next upkeep; what it issues until then is
// refused. Recover returns when tokens can be issued again, about a second later. It may be repeated, and may be
// interrupted anywhere: before its one transaction, sessions have ended and nothing else happened.
func Recover(ctx context.Context, store Store, o RecoverOptions) (Recovery, error) {
	if err := checkURL(o.URL); err != nil {
		return Recovery{}, err
	}
	keyEncryptionKeys := slices.Concat([][]byte{o.KeyEncryptionKey}, o.OlderKeyEncryptionKeys)
	for _, key := range keyEncryptionKeys {
		if len(key) != keySize {
			return Recovery{}, fmt.Errorf("recover: a key-encryption key has %d bytes, want %d", len(key), keySize)
		}
	}
	sealer, err := newSealer(keyEncryptionKeys...)
	if err != nil {
		return Recovery{}, err
	}
	i := &Issuer{store: store, sealer: sealer, config: Config{URL: o.URL, ForeignIssuers: o.ForeignIssuers, Logger: slog.Default(), Now: time.Now}}
	check := i.checkSealed
	if o.KeyLost {
		check = checkMade
	}
	if err := store.View(ctx, check); err != nil {
		return Recovery{}, err
	}
	if err := i.signEverybodyOut(ctx); err != nil {
		return Recovery{}, err
	}
	ended, err := i.endAllSessions(ctx)
	if err != nil {
		return Recovery{}, err
	}
	done, err := i.recover(ctx, o.Witness)
	if err != nil {
		return Recovery{}, err
	}
	done.Sessions += ended
	return done, i.waitUntil(ctx, done.RefuseIat)
}

// checkSealed shows a wrong key-encryption key, or a database without keys, before anything is changed. Remote keys
// needn't be at hand: those that the issuer makes take their place.
func (i *Issuer) checkSealed(r Reader) error {
	if err := checkMade(r); err != nil {
		return err
	}
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	for _, k := range keys {
		if len(k.Sealed) == 0 {
			continue
		}
		if _, err := i.sealer.open(k); err != nil {
			return fmt.Errorf("keys: %w", err)
		}
	}
	return nil
}

// checkMade shows a database without keys.
func checkMade(r Reader) error {
	_, err := readSigningKeys(r)
	return err
}

// endAllSessions ends the sessions that there are, batch by batch. Those that begin meanwhile end in the transaction
// that recovers.
func (i *Issuer) endAllSessions(ctx context.Context) (total int, err error) {
	var ended []Session
	for more := true; more; total += len(ended) {
		last := lastOf(ended) // only a commit moves on: what is rolled back runs again
		// A batch is a transaction of its own: a refresh at the same time comes before, and its session ends here, or
		// finds it ended.
		err := i.store.Update(ctx, func(tx Tx) error {
			now, err := tx.Now()
			if err == nil {
				ended, err = tx.EndSessionsOf("", now, EndedByRecovery, last, recoverBatch)
			}
			return err
		})
		if err != nil {
			return total, err
		}
		more = len(ended) == recoverBatch
	}
	return total, nil
}

// lastOf is the place of the last of sessions, the beginning where there is none.
func lastOf(sessions []Session) Position {
	if len(sessions) == 0 {
		return Position{}
	}
	last := sessions[len(sessions)-1]
	return Position{last.Created, last.ID}
}

// recover is the transaction that counts.
func (i *Issuer) recover(ctx context.Context, seen Witness) (Recovery, error) {
	var done Recovery
	// The log, the keys and the sessions change in one transaction: nobody finds new keys with an old log, and a
	// session that begins at the same time either ends here or has a refresh token and an access token of keys that are
	// gone.
	err := i.withFreshKeys(ctx, func(u *update, fresh *freshKeys) error {
		r := &recovery{update: u, fresh: fresh, seen: seen}
		for _, step := range []func() error{r.endSessions, r.signOut, r.replaceKeys, r.refuseAll, r.forgetBootstrap, r.mark, r.replaceLog, r.report} {
			if err := step(); err != nil {
				return err
			}
		}
		done = r.Recovery
		return nil
	})
	return done, err
}

// recovery is an update that recovers.
type recovery struct {
	*update
	Recovery
	fresh *freshKeys
	seen  Witness
}

// refuseAll gathers the rule that refuses every token of before: all that were issued up to now, or up to the last time
// that is known of the database where that is later. Tokens count whole seconds, so the limit is rounded up, and a
// second is added. Now is when the transaction has done what takes long: until it commits, a server of before may still
// tell verifiers of the old log.
func (r *recovery) refuseAll() error {
	now, err := r.Now()
	if err != nil {
		return err
	}
	last := now
	if r.seen.Time.After(last) {
		last = r.seen.Time
	}
	if behind := last.Sub(now); behind > maxBehind {
		return fmt.Errorf("recover: the database's clock shows %v, and has shown %v before: set it first", now, last)
	}
	r.RefuseIat = roundUp(last).Add(refuseAhead)
	expires := outlive(r.RefuseIat.Add(maxAccessTTL)) // the longest life of a token may have grown since
	r.refuse(revocation.Rule{Kind: revocation.IssuerIssuedAt, Minimum: r.RefuseIat.Unix(), Expires: expires})
	for _, f := range r.issuer.config.ForeignIssuers {
		until := r.RefuseIat.Add(logoutLeeway) // by the clock of that issuer
		r.rules = append(r.rules, revocation.Rule{
			Kind: revocation.IssuerIssuedAt, Issuer: f.URL, Minimum: until.Unix(), Expires: outlive(until.Add(f.MaxTTL)),
		})
	}
	return nil
}

func roundUp(t time.Time) time.Time {
	if whole := t.Truncate(time.Second); whole.Before(t) {
		return whole.Add(time.Second)
	}
	return t
}

// replaceKeys revokes every signing key that is published, since one that was revoked after the backup would sign
// again, and whoever stole it forges tokens of any date. It takes the feed's key away from a server of before that
// still runs, and the root keys from all refresh tokens of before.
func (r *recovery) replaceKeys() error {
	keys, err := r.Keys()
	if err != nil {
		return err
	}
	var version byte
	for _, k := range keys {
		if k.Purpose == PurposeRefresh {
			version = max(version, k.Version)
		}
		if !k.published() {
			continue
		}
		if err := r.dropKey(k); err != nil {
			return err
		}
	}
	if version == math.MaxUint8 {
		return fmt.Errorf("%w: no version is left for a root key", ErrKeyLimit)
	}
	root := r.issuer.newRootKey(version + 1)
	return errors.Join(r.demandLine(r.fresh, KeyActive, feedLine), r.addKey(root, KeyActive))
}

// dropKey takes a key of before out of use. A new one takes the place of one that signed or was to sign tokens.
func (r *recovery) dropKey(k Key) error {
	if k.Purpose != PurposeAccess {
		k.State, k.Sealed, k.Expires = KeyRetired, nil, r.now
		return r.UpdateKey(k)
	}
	if k.State != KeyRetiring {
		key, err := r.fresh.take(k.line())
		if err != nil {
			return err
		}
		if err := r.addKey(key, k.State); err != nil {
			return err
		}
		if k.State == KeyActive {
			r.SigningKey = append(r.SigningKey, key.ID)
		}
	}
	r.refuse(revocation.Rule{Kind: revocation.Key, Value: k.ID})
	r.Revoked = append(r.Revoked, k.ID)
	k.State, k.Sealed = KeyRevoked, nil
	return r.UpdateKey(k)
}

// replaceLog begins a new log with the rules that were gathered and those of before that they don't include: about
// keys, which never expire, and about another issuer, where the URL has changed.
func (r *recovery) replaceLog() error {
	before, err := r.LogHead()
	if err != nil {
		return err
	}
	var kept []revocation.Rule
	err = r.LiveRules(r.now, before.Sequence, func(l revocation.Rule) error {
		if l.Kind == revocation.Key || l.Issuer != r.issuer.config.URL {
			kept = append(kept, l)
		}
		return nil
	})
	if err != nil {
		return err
	}
	last, err := r.LogEntries(max(before.Sequence, 1)-1, 1)
	if err != nil {
		return err
	}
	if len(last) > 0 {
		r.LastRule = last[0].Time
	}
	r.rules = append(r.rules, kept...)
	if err := errors.Join(r.ReplaceLog(revocation.NewLog(rand.Text())), appendRules(r.update, r.update)); err != nil {
		return err
	}
	r.rules, r.Before = nil, before
	r.After, err = r.LogHead()
	r.Witness.Head = r.After
	return err
}

// endSessions ends those that began since the batches.
func (r *recovery) endSessions() error {
	for more := true; more; {
		ended, err := r.EndSessionsOf("", r.now, EndedByRecovery, Position{}, recoverBatch)
		if err != nil {
			return err
		}
		r.Sessions += len(ended)
		more = len(ended) == recoverBatch
	}
	return nil
}

// signOut signs those out who logged in since the batches.
func (r *recovery) signOut() error {
	for more := true; more; {
		var err error
		if more, err = signSomeOut(r.Tx, recoverBatch); err != nil {
			return err
		}
	}
	return nil
}

// forgetBootstrap: a code that was used since would be good again.
func (r *recovery) forgetBootstrap() error { return r.PutBootstrap(Bootstrap{}) }

func (r *recovery) report() error {
	detail := fmt.Sprintf("log %s, %d rules long, was replaced by %s; %d signing keys were revoked, and every session ended",
		r.Before.LogID, r.Before.Sequence, r.After.LogID, len(r.Revoked))
	return r.InsertEvent(Event{Time: r.now, Kind: EventDatabaseRecovered, Detail: detail})
}

// mark sets what is to be remembered of the database from now on, but for the log's head. Nothing is missing at the
// start of a new log.
func (r *recovery) mark() error {
	mark, err := markAgain(r.update, r.seen.Mark)
	r.Witness = Witness{Mark: mark, Time: r.RefuseIat}
	return errors.Join(err, r.PutSetting(settingLogStart, 0))
}

// waitUntil returns when the database's clock shows a time.
func (i *Issuer) waitUntil(ctx context.Context, t time.Time) error {
	for {
		now, err := i.Now(ctx)
		if err != nil || !now.Before(t) {
			return err
		}
		if err := pause(ctx, t.Sub(now)); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return cmp.Or(context.Cause(ctx), ctx.Err())
	}
}
