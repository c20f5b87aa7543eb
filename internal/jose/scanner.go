package jose

import "math"

// MaxDepth is how many arrays and objects may stand inside one another, the outermost counted.
const MaxDepth = 32

const maxLength = math.MaxInt32 // offsets in a nameStack have 32 bits

// A Scanner walks the members of one JSON object and validates the whole text on the way, the members' values included,
// in one pass. It allocates nothing while objects have at most 32 members and names are spelled without escapes.
//
//	s.Reset(data)
//	for s.Next() {
//		switch string(s.Name()) { … s.Value() … }
//	}
//	err := s.Err()
//
// The rest of the text may be bad: act on nothing before Next has returned false and Err nil. The zero Scanner is one
// after Reset(nil). A Scanner is for one goroutine at a time.
type Scanner struct {
	data   []byte
	pos    int // where to go on: 0 before the object, negative when done
	err    *SyntaxError
	escape int // where the last escape is, or -1

	names nameStack
	scope scope // the outermost object's

	nameStart, nameEnd   int // the current member, its name without the quotes
	valueStart, valueEnd int
	unescaped            []byte // room for its name, if that has an escape
}

// A span is a part of a text.
type span struct{ start, end int }

// Reset makes s read data from its beginning. data must not change while s, its names or its values are in use.
func (s *Scanner) Reset(data []byte) {
	s.data, s.pos, s.err, s.escape = data, 0, nil, -1
	s.forget()
	s.names.count = 0
	if len(data) > maxLength {
		s.pos = s.fail(0, "text longer than 2 GiB")
	}
}

// Next moves to the next member of the object. It returns false at the end, when the whole text has proved valid, and
// at the first error, which Err then returns.
func (s *Scanner) Next() bool {
	if s.pos < 0 {
		return false
	}
	at := s.pos + 1
	if s.pos == 0 || s.peek(s.pos) != ',' || s.peek(at) != '"' {
		next, more := s.nextMember()
		if !more {
			return s.end(next)
		}
		at = next
	}
	name, value, end := s.scanMember(at, 1, &s.scope)
	if end < 0 {
		return s.end(end)
	}
	s.nameStart, s.nameEnd = at+1, name
	s.valueStart, s.valueEnd = value, end
	s.pos = end
	return true
}

// nextMember returns where the next member of the outermost object is, or, when there is none, where the object ends.
func (s *Scanner) nextMember() (at int, more bool) {
	if s.pos > 0 {
		return s.nextElement(s.pos, '}')
	}
	at, c := s.token(0)
	if c != '{' {
		return s.fail(at, "expected an object"), false
	}
	s.scope = s.names.open()
	return s.firstElement(at+1, '}')
}

// end ends the walk at i, after the object, or after an error if i is negative. It returns false.
func (s *Scanner) end(i int) bool {
	if i >= 0 {
		s.finish(i)
	}
	s.pos = -1
	s.forget()
	return false
}

// forget makes the current member empty.
func (s *Scanner) forget() {
	s.nameStart, s.nameEnd, s.valueStart, s.valueEnd = 0, 0, 0, 0
}

// Name returns the name of the current member, without escapes. It is valid until the next call of Next.
func (s *Scanner) Name() []byte {
	raw := s.data[s.nameStart:s.nameEnd]
	if s.escape < s.nameStart {
		return raw
	}
	s.unescaped = appendUnescaped(s.unescaped[:0], raw)
	return s.unescaped
}

// Value returns the value of the current member.
func (s *Scanner) Value() Value {
	return Value{raw: s.data[s.valueStart:s.valueEnd], escaped: s.escape >= s.valueStart}
}

// Err returns the first error, a *SyntaxError, or nil.
func (s *Scanner) Err() error {
	if s.err == nil {
		return nil
	}
	return s.err
}

// Valid returns nil if data is one JSON value, of any kind, and a *SyntaxError otherwise.
func Valid(data []byte) error {
	var s Scanner
	s.Reset(data)
	if s.err == nil {
		at, _ := s.token(0)
		if end := s.scanValue(at, 0); end >= 0 {
			s.finish(end)
		}
	}
	return s.Err()
}

// scanValue reads the value at i, which stands inside depth arrays and objects, and returns where it ends. Like all
// methods that return a position, it returns -1 after an error.
func (s *Scanner) scanValue(i, depth int) int {
	switch s.peek(i) {
	case '"':
		return s.scanString(i)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.scanNumber(i)
	case '{':
		return s.scanObject(i, depth+1)
	case '[':
		return s.scanArray(i, depth+1)
	case 't':
		return s.scanLiteral(i, "true")
	case 'f':
		return s.scanLiteral(i, "false")
	case 'n':
		return s.scanLiteral(i, "null")
	}
	return s.fail(i, "expected a value")
}

func (s *Scanner) scanObject(i, depth int) int {
	if depth > MaxDepth {
		return s.fail(i, "nested too deeply")
	}
	scope := s.names.open()
	at, more := s.firstElement(i+1, '}')
	for more {
		_, _, end := s.scanMember(at, depth, &scope)
		if end < 0 {
			return -1
		}
		at, more = s.nextElement(end, '}')
	}
	s.names.close(&scope)
	return at
}

func (s *Scanner) scanArray(i, depth int) int {
	if depth > MaxDepth {
		return s.fail(i, "nested too deeply")
	}
	at, more := s.firstElement(i+1, ']')
	for more {
		end := s.scanValue(at, depth)
		if end < 0 {
			return -1
		}
		at, more = s.nextElement(end, ']')
	}
	return at
}

// firstElement returns where the first member or element begins, i being just inside the brackets, or, when there is
// none, where the object or array ends.
func (s *Scanner) firstElement(i int, closing byte) (at int, more bool) {
	i, c := s.token(i)
	if c == closing {
		return i + 1, false
	}
	return i, true
}

// nextElement returns where the member or element after the one that ended at i begins, or, when that was the last,
// where the object or array ends.
func (s *Scanner) nextElement(i int, closing byte) (at int, more bool) {
	i, c := s.token(i)
	switch {
	case c == ',':
		at, _ = s.token(i + 1)
		return at, true
	case c == closing:
		return i + 1, false
	case closing == '}':
		return s.fail(i, "expected a comma or the end of the object"), false
	default:
		return s.fail(i, "expected a comma or the end of the array"), false
	}
}

func (s *Scanner) scanLiteral(i int, literal string) int {
	end := i + len(literal)
	if end > len(s.data) || string(s.data[i:end]) != literal {
		return s.fail(i, "expected true, false or null")
	}
	return end
}

// finish checks that nothing but white space follows the value that ended at i.
func (s *Scanner) finish(i int) {
	if i, _ = s.token(i); i < len(s.data) {
		s.fail(i, "something follows the value")
	}
}

// token returns the first byte at or after i that is not white space (RFC 8259 §2), or 0 at the end of the text.
func (s *Scanner) token(i int) (at int, c byte) {
	c = s.peek(i)
	for c <= ' ' && isSpace(c) {
		i++
		c = s.peek(i)
	}
	return i, c
}

// peek returns the byte at i, or, at the end of the text, 0, which is nowhere expected.
func (s *Scanner) peek(i int) byte {
	if uint(i) < uint(len(s.data)) {
		return s.data[i]
	}
	return 0
}

func isSpace(c byte) bool { return c == ' ' || c == '\n' || c == '\r' || c == '\t' }

// fail records the error, and returns -1. Inlined, it would crowd the code around its many calls.
//
//go:noinline
func (s *Scanner) fail(i int, reason string) int {
	if i >= len(s.data) {
		i, reason = len(s.data), "text ends early"
	}
	s.err = &SyntaxError{i, reason}
	return -1
}
