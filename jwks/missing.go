package jwks

import (
	"maps"
	"strings"
	"time"
)

const (
	missingCooldowns = 6   // cool-downs for which a key ID counts as missing
	missingMax       = 256 // key IDs remembered
	missingMaxLength = 256 // bytes of a key ID that is remembered
)

// missing remembers key IDs that a fetched set lacked, so that a client which keeps sending one dead token
// causes one fetch a minute and not one each cool-down. It is bounded: beyond that the cool-down alone holds.
type missing map[string]time.Time

// has reports whether kid is known to be missing.
func (m missing) has(kid string, now time.Time) bool {
	return now.Before(m[kid])
}

// add remembers kid until then, when there is room after the expired entries have gone.
func (m *missing) add(kid string, now, until time.Time) {
	if len(kid) > missingMaxLength {
		return
	}
	if *m == nil {
		*m = make(missing)
	}
	if len(*m) >= missingMax {
		maps.DeleteFunc(*m, func(_ string, end time.Time) bool { return !now.Before(end) })
	}
	if len(*m) < missingMax {
		(*m)[strings.Clone(kid)] = until // kid may be a slice of a whole token
	}
}
