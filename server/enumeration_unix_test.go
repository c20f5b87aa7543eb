//go:build unix

package server_test

import (
	"net/http"
	"slices"
	"syscall"
	"testing"
	"time"
)

const (
	logInsMeasured = 40
	logInsDiffer   = 1.10 // the slowest median over the fastest, at most
	logInsTries    = 5
)

// TestNobodyLearnsWhoHasAnAccount: an unknown name, a wrong password and a disabled account, with a wrong and with the
// right password, are answered alike, and cost alike: medians of 40, taken in turn, within 10 %. What is measured is
// the processor's time that this process took, of which a busy machine takes none away; and where something else in
// this process took some, it's measured again.
func TestNobodyLearnsWhoHasAnAccount(t *testing.T) {
	s := newSite(t)
	s.signUpAndLogIn(t, "ada")
	status, body := s.post(t, "/v1/signup", "", map[string]string{"username": "eve", "password": password})
	if status != http.StatusCreated {
		t.Fatalf("%d %s", status, body)
	}
	if err := s.server.Issuer().DisableSubject(t.Context(), subjectOf(t, body)); err != nil {
		t.Fatal(err)
	}
	attempts := []struct{ what, name, password string }{
		{"an unknown name", "nobody", password},
		{"a wrong password", "ada", "wrong " + password},
		{"a disabled account", "eve", password},
		{"a disabled account and a wrong password", "eve", "wrong " + password},
	}
	answer := ""
	measure := func() (fastest, slowest time.Duration) {
		took := make([][]time.Duration, len(attempts))
		for range logInsMeasured {
			for n, a := range attempts {
				before := processorTime(t)
				status, body := s.post(t, "/v1/login", "", map[string]string{"username": a.name, "password": a.password})
				took[n] = append(took[n], processorTime(t)-before)
				if answer == "" {
					answer = string(body)
				}
				if status != http.StatusUnauthorized || string(body) != answer {
					t.Fatalf("%s: %d %s, want 401 %s", a.what, status, body, answer)
				}
			}
		}
		medians := make([]time.Duration, len(attempts))
		for n := range took {
			slices.Sort(took[n])
			medians[n] = took[n][logInsMeasured/2]
		}
		t.Logf("medians %v", medians)
		return slices.Min(medians), slices.Max(medians)
	}
	for range logInsTries {
		if fastest, slowest := measure(); float64(slowest) <= logInsDiffer*float64(fastest) {
			return
		}
	}
	t.Errorf("the medians differ by more than %.0f %%, %d times", (logInsDiffer-1)*100, logInsTries)
}

// processorTime is what this process has had of the processor.
func processorTime(t *testing.T) time.Duration {
	t.Helper()
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &used); err != nil {
		t.Fatal(err)
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
