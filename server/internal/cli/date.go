package cli

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"
)

const (
	lastSecond  = 253402300799 // the end of the year 9999
	likelyMilli = 1e11         // as seconds in the year 5138, as milliseconds in 1973
)

// dateNames are the claims that hold dates (RFC 7519 §4.1, OpenID Connect Core §2 and §5.1).
var dateNames = map[string]bool{"exp": true, "nbf": true, "iat": true, "auth_time": true, "updated_at": true}

// describeDate tells a date as a date, or why it isn't one. known is false for what isn't a time.
func describeDate(value json.RawMessage, now time.Time) (text string, seconds int64, known bool) {
	number, err := strconv.ParseFloat(string(value), 64)
	switch {
	case err != nil:
		return "not a date: dates are numbers, in seconds since 1970", 0, false
	case math.Abs(number) >= likelyMilli && math.Abs(number) < likelyMilli*1e3:
		return "not a date: these look like milliseconds, dates are in seconds", 0, false
	case math.Abs(number) > lastSecond:
		return "not a date: out of range", 0, false
	}
	seconds = int64(math.Floor(number))
	date := time.Unix(seconds, 0).UTC().Format("2006-01-02 15:04:05 UTC")
	return date + ", " + relative(seconds, now), seconds, true
}

// relative is a time as seen from now: "in 14 min", "3 h ago".
func relative(seconds int64, now time.Time) string {
	distance := seconds - now.Unix()
	switch {
	case distance > 0:
		return "in " + roughly(distance)
	case distance < 0:
		return roughly(-distance) + " ago"
	}
	return "now"
}

// roughly is a number of seconds in its largest sensible unit, rounded down.
func roughly(seconds int64) string {
	const minute, hour, day, year = 60, 3600, 86400, 31556952
	switch {
	case seconds < minute:
		return fmt.Sprintf("%d s", seconds)
	case seconds < hour:
		return fmt.Sprintf("%d min", seconds/minute)
	case seconds < 2*day:
		return fmt.Sprintf("%d h", seconds/hour)
	case seconds < 2*year:
		return fmt.Sprintf("%d days", seconds/day)
	}
	return fmt.Sprintf("%d years", seconds/year)
}
