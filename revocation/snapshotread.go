package revocation

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
)

// maxStatement bounds a signed statement, in bytes.
const maxStatement = 4 << 10

// ReadSnapshot reads what Snapshot.Encode wrote, up to its end, into a set. It returns nothing unless the statement's
// signature and its digest of all the bytes hold: no byte is looked at before. It refuses more than maxRules rules.
func ReadSnapshot(ctx context.Context, r io.Reader, v *StatementVerifier, maxRules int) (Statement, *Set, error) {
	s, body, err := openSnapshot(ctx, r, v)
	if err != nil {
		return Statement{}, nil, err
	}
	set, err := loadSet(body, maxRules)
	if err != nil {
		return Statement{}, nil, err
	}
	return s, set, nil
}

// openSnapshot returns a snapshot's statement, and the bytes that it covers. It reads no more than the statement
// allows, and one byte.
func openSnapshot(ctx context.Context, r io.Reader, v *StatementVerifier) (Statement, []byte, error) {
	fail := func(err error) (Statement, []byte, error) {
		return Statement{}, nil, fmt.Errorf("feed snapshot: %w", err)
	}
	line, rest, err := readStatement(r)
	if err != nil {
		return fail(noEOF(err))
	}
	s, err := v.Verify(ctx, line)
	switch {
	case err != nil:
		return fail(err)
	case s.Digest == nil || s.Size < int64(len(snapshotMagic)) || s.Size > MaxSnapshot:
		return fail(errors.New("the statement is none of a snapshot"))
	}
	body := make([]byte, s.Size)
	if _, err := io.ReadFull(rest, body); err != nil {
		return fail(noEOF(err))
	}
	switch n, err := io.ReadFull(rest, make([]byte, 1)); {
	case n > 0:
		return fail(errors.New("more bytes than were signed"))
	case err != io.EOF:
		return fail(err)
	case sha256.Sum256(body) != *s.Digest:
		return fail(errors.New("the rules are not the ones that were signed"))
	}
	return s, body, nil
}

// readStatement reads the first line, and returns the reader of what follows it.
func readStatement(r io.Reader) (string, io.Reader, error) {
	start := make([]byte, maxStatement)
	n, err := io.ReadFull(r, start)
	if err != nil && err != io.ErrUnexpectedEOF {
		return "", nil, err
	}
	line, rest, ok := bytes.Cut(start[:n], []byte{'\n'})
	if !ok {
		return "", nil, errors.New("it doesn't begin with a signed statement")
	}
	return string(line), io.MultiReader(bytes.NewReader(rest), r), nil
}
