package issuer

import (
	"cmp"
	"encoding/base64"
	"strconv"
	"strings"
	"time"
)

// The number of entries on a page of a list.
const (
	DefaultPage = 50
	MaxPage     = 200
)

// Page is the part of a list that is asked for. Lists go by time and ID, newest first, so what is added meanwhile moves
// no entry to another page.
type Page struct {
	After string // where the page before ended, as its answer said; "" is the beginning
	Limit int    // entries at most, up to MaxPage; 0: DefaultPage
}

// Position is a place in a list, after the entry of this time and ID. The zero value is the beginning.
type Position struct {
	Time time.Time
	ID   string
}

// String is a position as clients see it: opaque, and without a meaning to them.
func (p Position) String() string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(p.Time.UnixMilli(), 10) + " " + p.ID))
}

// compare is negative where p comes before q in a list: it's the newer one, by the millisecond that clients get, or has
// the higher ID.
func (p Position) compare(q Position) int {
	return cmp.Or(cmp.Compare(q.Time.UnixMilli(), p.Time.UnixMilli()), strings.Compare(q.ID, p.ID))
}

// parsePosition reads what String wrote; "" is the beginning.
func parsePosition(text string) (Position, error) {
	if text == "" {
		return Position{}, nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(text)
	ms, id, found := strings.Cut(string(data), " ")
	number, err2 := strconv.ParseInt(ms, 10, 64)
	if err != nil || err2 != nil || !found || checkName("after", id) != nil {
		return Position{}, errPosition
	}
	return Position{Time: time.UnixMilli(number).UTC(), ID: id}, nil
}

var errPosition = &InputError{"after", "must be the next of the page before"}

// size is the number of entries on the page.
func (p Page) size() (int, error) {
	if p.Limit < 0 || p.Limit > MaxPage {
		return 0, &InputError{"limit", "must be 1 to " + strconv.Itoa(MaxPage)}
	}
	if p.Limit == 0 {
		return DefaultPage, nil
	}
	return p.Limit, nil
}

// turn cuts a list that was read with one entry too many down to its page, and says where that ended: "" at the end of
// the list.
func turn[T any](list []T, size int, at func(T) string) (page []T, next string) {
	if len(list) <= size {
		return list, ""
	}
	return list[:size], at(list[size-1])
}
