package admin

import (
	"net/http"
	"time"

	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

var nothingToChange = web.NewProblem(http.StatusBadRequest, "nothing to change: name a member")

// set gives a field the value that a request has for it, if any.
func set[T any](field, value *T) {
	if value != nil {
		*field = *value
	}
}

// setList gives a field the list that a request has for it, if any; an empty one is none.
func setList(field, value *[]string) {
	if value != nil {
		*field = append([]string(nil), *value...)
	}
}

// seconds are a duration as requests and answers have it.
type seconds int64

func newSeconds(d time.Duration) seconds { return seconds(d / time.Second) }

// set gives a field the duration that a request has for it, if any.
func (s *seconds) set(name string, field *time.Duration) error {
	if s == nil {
		return nil
	}
	const most = 100 * 365 * 24 * 60 * 60 // far from what a time.Duration can't hold
	if *s < 0 || *s > most {
		return &issuer.InputError{Field: name, Reason: "must be a number of seconds"}
	}
	*field = time.Duration(*s) * time.Second
	return nil
}
