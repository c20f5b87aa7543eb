package revocation

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"unicode/utf8"
)

// loadSet makes a set of a snapshot's rules.
func loadSet(body []byte, maxRules int) (*Set, error) {
	set := NewSet()
	w := writer{set: set}
	if err := decodeSnapshot(body, maxRules, set.reserve, w.add); err != nil {
		return nil, err
	}
	w.end()
	return set, nil
}

// decodeSnapshot goes through the groups of a snapshot strictly: each encoding that it takes is the only one of its
// rules in their order. The record that it hands out is good until the next one.
func decodeSnapshot(body []byte, maxRules int, begin func(count int), each func(*record)) error {
	text, ok := bytes.CutPrefix(body, []byte(snapshotMagic))
	if !ok {
		return errFormat
	}
	d := decoder{rest: text}
	total, err := d.count(maxRules)
	if err != nil {
		return err
	}
	begin(total)
	for before := (groupKey{}); len(d.rest) > 0; {
		key, count, err := d.group(total)
		if err != nil {
			return err
		}
		if compareGroups(before, key) >= 0 || count == 0 {
			return errors.New("feed snapshot: a group is empty or out of order")
		}
		if err := d.rules(key, count, each); err != nil {
			return err
		}
		before, total = key, total-count
	}
	if total > 0 {
		return errCut
	}
	return nil
}

var errFormat = errors.New("feed snapshot: it's not of format " + SnapshotFormat + ": another version of jot made it; issuer and verifiers need versions of one format")

// decoder reads the rest of a snapshot.
type decoder struct{ rest []byte }

var errCut = fmt.Errorf("feed snapshot: %w", io.ErrUnexpectedEOF)

// take returns the next bytes.
func (d *decoder) take(n int) ([]byte, error) {
	if n > len(d.rest) {
		return nil, errCut
	}
	taken := d.rest[:n]
	d.rest = d.rest[n:]
	return taken, nil
}

// uvarint returns the next number; one that is written longer than need be is refused.
func (d *decoder) uvarint() (uint64, error) {
	value, n := binary.Uvarint(d.rest)
	if n <= 0 {
		return 0, errCut
	}
	if n > 1 && d.rest[n-1] == 0 {
		return 0, errors.New("feed snapshot: a number is written longer than it need be")
	}
	d.rest = d.rest[n:]
	return value, nil
}

// text returns the next text, after its length.
func (d *decoder) text() ([]byte, error) {
	size, err := d.uvarint()
	if err != nil {
		return nil, err
	}
	if size > maxText {
		return nil, errors.New("feed snapshot: a text is too long")
	}
	text, err := d.take(int(size))
	if err == nil && !utf8.Valid(text) {
		err = errors.New("feed snapshot: a text is not valid UTF-8")
	}
	return text, err
}

// group reads what stands before a group's rules.
func (d *decoder) group(maxRules int) (groupKey, int, error) {
	codes, err := d.take(2)
	if err != nil {
		return groupKey{}, 0, err
	}
	key := groupKey{kind: codes[0], form: form(codes[1])}
	if key.kind < 1 || int(key.kind) > len(kindCodes) || key.form >= formCount {
		return groupKey{}, 0, errors.New("feed snapshot: a group of a kind or form that isn't known")
	}
	issuer, err := d.text()
	if err != nil {
		return groupKey{}, 0, err
	}
	if key.issuer = string(issuer); key.issuer == "" {
		return groupKey{}, 0, errors.New("feed snapshot: a group without an issuer")
	}
	count, err := d.count(maxRules)
	return key, count, err
}

// count returns the next number, which is one of rules.
func (d *decoder) count(maxRules int) (int, error) {
	n, err := d.uvarint()
	if err == nil && (n > uint64(maxRules) || n > uint64(len(d.rest))) { // each takes a byte at least
		err = errors.New("feed snapshot: more rules than are allowed, or than there are")
	}
	return int(n), err
}

// rules reads a group's rules.
func (d *decoder) rules(key groupKey, count int, each func(*record)) error {
	r := record{issuer: []byte(key.issuer)}
	r.setKind(kindCodes[key.kind-1])
	shape := shapes[r.kind]
	if (key.form == formNone) == shape.value {
		return errIdentifier
	}
	for range count {
		if err := d.rule(&r, key.form, shape); err != nil {
			return err
		}
		each(&r)
	}
	return nil
}

// rule reads one rule; the record holds the one before.
func (d *decoder) rule(r *record, f form, shape shape) (err error) {
	if r.value, err = d.identifier(r.value[:0], f); err != nil {
		return err
	}
	switch {
	case shape.subject:
		four, err := d.take(4)
		if err != nil {
			return err
		}
		r.tag = tag(binary.BigEndian.Uint32(four))
	case r.packed != 0:
		r.tag = tagOf(r.value)
	}
	if shape.minimum {
		if r.minimum, err = d.number(); err != nil {
			return err
		}
	}
	if shape.expires {
		r.expires, err = d.difference(r.expires)
	}
	return err
}

// identifier appends the next identifier.
func (d *decoder) identifier(dst []byte, f form) ([]byte, error) {
	switch f {
	case formNone:
		return dst, nil
	case formText:
		text, err := d.text()
		if err == nil && formOf(text) != formText {
			err = errIdentifier
		}
		return append(dst, text...), err
	}
	packed, err := d.take(packedSize[f])
	if err != nil {
		return dst, err
	}
	return f.appendText(dst, packed)
}

var errNumber = errors.New("feed snapshot: a number out of range")

// number returns the next positive number.
func (d *decoder) number() (int64, error) {
	n, err := d.uvarint()
	if err == nil && (n == 0 || n > math.MaxInt64) {
		err = errNumber
	}
	return int64(n), err
}

// difference returns the positive number that is as far from the one before as the next number says.
func (d *decoder) difference(before int64) (int64, error) {
	n, err := d.uvarint()
	if err != nil {
		return 0, err
	}
	by := int64(n>>1) ^ -int64(n&1)
	if by > math.MaxInt64-before || before+by <= 0 {
		return 0, errNumber
	}
	return before + by, nil
}
