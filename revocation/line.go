package revocation

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"github.com/jot-auth/jot/internal/jose"
)

// maxLine bounds one line of a snapshot or a frame, in bytes. The longest rule, with every character
// escaped, is shorter.
const maxLine = 32 << 10

// appendLine appends the rule as one line of JSON, its newline included.
func appendLine(dst []byte, r Rule) ([]byte, error) {
	if err := r.Validate(); err != nil {
		return dst, err
	}
	line, err := json.Marshal(r)
	if err != nil {
		return dst, err
	}
	return append(append(dst, line...), '\n'), nil
}

// parseRule reads one rule from strict JSON: no unknown, doubled or mistyped members. A kind that it
// doesn't know is an error too, because a rule that isn't understood can't be enforced.
func parseRule(line []byte) (Rule, error) {
	var (
		r Rule
		s jose.Scanner
	)
	s.Reset(line)
	for s.Next() {
		if err := r.setMember(string(s.Name()), s.Value()); err != nil {
			return Rule{}, err
		}
	}
	if err := s.Err(); err != nil {
		return Rule{}, fmt.Errorf("revocation rule: %w", err)
	}
	return r, r.Validate()
}

func (r *Rule) setMember(name string, v jose.Value) error {
	switch name {
	case "kind":
		return setText((*string)(&r.Kind), v)
	case "iss":
		return setText(&r.Issuer, v)
	case "value":
		return setText(&r.Value, v)
	case "sub":
		return setText(&r.Subject, v)
	case "min":
		return setNumber(&r.Minimum, v)
	case "exp":
		return setNumber(&r.Expires, v)
	}
	return errors.New("revocation rule: unknown member")
}

func setText(dst *string, v jose.Value) error {
	if v.Kind() != jose.String {
		return errors.New("revocation rule: a member is not a string")
	}
	*dst = string(v.AppendString(nil))
	return nil
}

func setNumber(dst *int64, v jose.Value) error {
	n, err := strconv.ParseInt(string(v.Raw()), 10, 64)
	if err != nil {
		return errors.New("revocation rule: a member is not a whole number")
	}
	*dst = n
	return nil
}

// readLine returns the next line without its newline. The reader's buffer bounds its length; what it
// returns is valid until the next read. A last line without a newline is io.ErrUnexpectedEOF.
func readLine(r *bufio.Reader) ([]byte, error) {
	line, err := r.ReadSlice('\n')
	switch {
	case err == nil:
		return line[:len(line)-1], nil
	case errors.Is(err, bufio.ErrBufferFull):
		return nil, fmt.Errorf("feed: a line is longer than %d bytes", maxLine)
	case len(line) > 0:
		return nil, noEOF(err)
	}
	return nil, err
}

// noEOF turns the end of the data, where more had to come, into an error that says so.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
