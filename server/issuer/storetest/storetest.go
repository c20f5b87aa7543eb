// Package storetest is the contract of issuer.Store: every store passes Run.
package storetest

import (
	"errors"
	"reflect"
	"testing"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// base is a time that every database can hold.
var base = time.Date(2030, 1, 2, 3, 4, 5, 678e6, time.UTC)

// Run checks a store against the contract. open opens the database that belongs to the given test: an empty one at
// first, and the same one again each further time. Run closes what it opens.
func Run(t *testing.T, open func(t *testing.T) issuer.Store) {
	for name, check := range map[string]func(*suite){
		"Subjects":      (*suite).subjects,
		"Sessions":      (*suite).sessions,
		"EndSessions":   (*suite).endSessions,
		"Pending":       (*suite).pendingSubjects,
		"SweepSessions": (*suite).sweepSessions,
		"SweepRules":    (*suite).sweepRules,
		"SweepEvents":   (*suite).sweepEvents,
		"SweepKeys":     (*suite).sweepKeys,
		"SweepSubjects": (*suite).sweepSubjects,
		"Clients":       (*suite).clients,
		"ClientPages":   (*suite).clientPages,
		"Resources":     (*suite).resources,
		"ResourcePages": (*suite).resourcePages,
		"SessionsOf":    (*suite).sessionsOf,
		"LatestUse":     (*suite).latestUse,
		"Keys":          (*suite).keys,
		"Log":           (*suite).log,
		"LiveRules":     (*suite).liveRules,
		"ReplaceLog":    (*suite).replaceLog,
		"Events":        (*suite).events,
		"Settings":      (*suite).settings,
		"URL":           (*suite).url,
		"Clock":         (*suite).clock,
		"Rollback":      (*suite).rollback,
		"Panic":         (*suite).panics,
		"Snapshot":      (*suite).snapshot,
		"Serializable":  (*suite).serializable,
		"ParallelLog":   (*suite).parallelLog,
		"ParallelReads": (*suite).parallelReads,
		"EventOrder":    (*suite).eventOrder,
		"OwnEvents":     (*suite).ownEvents,
		"LoginDisable":  (*suite).loginOrDisable,
		"Crossing":      (*suite).crossing,
		"FirstStart":    (*suite).firstStart,
		"RaisedSetting": (*suite).raisedSetting,
		"ChangedClient": (*suite).changedClient,
		"SameSubject":   (*suite).sameSubject,
		"Reopen":        (*suite).reopen,
		"Cancelled":     (*suite).cancelled,
		"Closed":        (*suite).closed,
		"SubjectLists":  (*suite).subjectLists,
		"ClientsOnly":   (*suite).clientSubjects,
		"HasScope":      (*suite).otherWithScope,
		"SessionLists":  (*suite).sessionLists,
		"EndSessionsOf": (*suite).endSessionsOf,
		"EventLists":    (*suite).eventLists,
		"Bootstrap":     (*suite).bootstrap,
		"LogoutTokens":  (*suite).logoutTokens,
		"Verifiers":     (*suite).verifiers,
		"ManyVerifiers": (*suite).manyVerifiers,
		"Asked":         (*suite).asked,
		"ParallelAsked": (*suite).parallelAsked,
		"SignIns":       (*suite).signIns,
		"SignInOfCode":  (*suite).signInOfCode,
		"Foresight":     (*suite).foresight,
		"ForeseenWrite": (*suite).foresightWrite,
		"ForeseenEnd":   (*suite).foresightEnd,
		"ForeseenRace":  (*suite).foresightRace,
		"OfSignIn":      (*suite).sessionsOfSignIn,
		"Codes":         (*suite).codes,
		"DeviceCodes":   (*suite).deviceCodes,
		"Consents":      (*suite).consents,
		"Notices":       (*suite).notices,
		"SweepSignIns":  (*suite).sweepAuthorization,
		"Assertions":    (*suite).assertions,
	} {
		t.Run(name, func(t *testing.T) {
			s := &suite{T: t, store: open(t), open: open}
			defer func() { s.store.Close() }()
			check(s)
		})
	}
}

// suite is one test over one database.
type suite struct {
	*testing.T
	store issuer.Store
	open  func(*testing.T) issuer.Store
}

func (s *suite) update(f func(issuer.Tx) error) {
	s.Helper()
	if err := s.store.Update(s.Context(), f); err != nil {
		s.Fatal(err)
	}
}

// refuse runs an update that must fail with an error.
func (s *suite) refuse(want error, f func(issuer.Tx) error) {
	s.Helper()
	if err := s.store.Update(s.Context(), f); !errors.Is(err, want) {
		s.Fatalf("error %v, want %v", err, want)
	}
}

// read returns what a View finds.
func read[T any](s *suite, f func(issuer.Reader) (T, error)) T {
	s.Helper()
	var found T
	err := s.store.View(s.Context(), func(r issuer.Reader) (err error) {
		found, err = f(r)
		return err
	})
	if err != nil {
		s.Fatal(err)
	}
	return found
}

// missing runs a View that must fail with ErrNotFound.
func missing[T any](s *suite, f func(issuer.Reader) (T, error)) {
	s.Helper()
	err := s.store.View(s.Context(), func(r issuer.Reader) error {
		_, err := f(r)
		return err
	})
	if !errors.Is(err, issuer.ErrNotFound) {
		s.Fatalf("error %v, want ErrNotFound", err)
	}
}

func (s *suite) equal(got, want any) {
	s.Helper()
	if !reflect.DeepEqual(got, want) {
		s.Fatalf("got  %+v\nwant %+v", got, want)
	}
}
