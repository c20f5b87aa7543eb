package revocation

import (
	"bufio"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"

	"github.com/jot-auth/jot"
)

// SnapshotType is the media type of a snapshot: lines of JSON.
const SnapshotType = "application/jsonl"

// WriteSnapshot writes the rules that are in force at the statement's head: the signed statement on a
// line of its own, as a JSON string, then a rule a line. The statement's digest and nonce are set by
// WriteSnapshot. It goes through the rules twice and holds one line at a time.
func WriteSnapshot(ctx context.Context, w io.Writer, signer *jot.Signer, issuer string, s Statement, rules []Rule) error {
	digest := sha256.New()
	if err := writeLines(digest, rules); err != nil {
		return err
	}
	s.Nonce, s.Digest = "", sum(digest)
	signed, err := s.Sign(ctx, signer, issuer)
	if err != nil {
		return err
	}
	out := bufio.NewWriterSize(w, maxLine)
	if _, err := fmt.Fprintf(out, "%q\n", signed); err != nil {
		return err
	}
	if err := writeLines(out, rules); err != nil {
		return err
	}
	return out.Flush()
}

func writeLines(w io.Writer, rules []Rule) error {
	var line []byte
	for _, r := range rules {
		var err error
		if line, err = appendLine(line[:0], r); err != nil {
			return err
		}
		if _, err := w.Write(line); err != nil {
			return err
		}
	}
	return nil
}

// SnapshotLimits bound what ReadSnapshot takes in.
type SnapshotLimits struct {
	Rules int   // at most so many rules
	Bytes int64 // at most so many bytes
}

// ReadSnapshot reads what WriteSnapshot wrote. It returns nothing unless the statement's signature and
// its digest of all the rules hold.
func ReadSnapshot(ctx context.Context, r io.Reader, v *StatementVerifier, limits SnapshotLimits) (Statement, []Rule, error) {
	in := bufio.NewReaderSize(&boundedReader{r: r, left: limits.Bytes + 1}, maxLine)
	s, err := readStatement(ctx, in, v)
	if err != nil {
		return Statement{}, nil, err
	}
	digest := sha256.New()
	rules, err := readRules(in, digest, limits.Rules)
	if err != nil {
		return Statement{}, nil, err
	}
	if s.Digest == nil || *s.Digest != *sum(digest) {
		return Statement{}, nil, errors.New("feed snapshot: the rules are not the ones that were signed")
	}
	return s, rules, nil
}

func readStatement(ctx context.Context, in *bufio.Reader, v *StatementVerifier) (Statement, error) {
	line, err := readLine(in)
	if err != nil {
		return Statement{}, fmt.Errorf("feed snapshot: %w", noEOF(err))
	}
	if len(line) < 2 || line[0] != '"' || line[len(line)-1] != '"' {
		return Statement{}, errors.New("feed snapshot: the first line is not a signed statement")
	}
	return v.Verify(ctx, string(line[1:len(line)-1]))
}

func readRules(in *bufio.Reader, digest hash.Hash, limit int) ([]Rule, error) {
	var rules []Rule
	for {
		line, err := readLine(in)
		if err == io.EOF {
			return rules, nil
		}
		if err != nil {
			return nil, fmt.Errorf("feed snapshot: %w", err)
		}
		if len(rules) == limit {
			return nil, fmt.Errorf("feed snapshot: more than %d rules", limit)
		}
		digest.Write(line)
		digest.Write([]byte{'\n'})
		rule, err := parseRule(line)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
}

func sum(h hash.Hash) *[32]byte { return (*[32]byte)(h.Sum(nil)) }

// noEOF turns the end of the data, where more had to come, into an error that says so.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// boundedReader fails, rather than ends, when left bytes have been read: one more than are allowed.
type boundedReader struct {
	r    io.Reader
	left int64
}

func (b *boundedReader) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, errors.New("the answer is larger than the bound")
	}
	n, err := b.r.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	return n, err
}
