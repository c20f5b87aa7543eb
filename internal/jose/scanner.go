package jose

import (
	"math"
	"math/bits"
	"sync"
)

// MaxDepth is how many arrays and objects may stand inside one another, the outermost counted.
const MaxDepth = 32

const maxLength = math.MaxInt32 // places in a member have 32 bits

// A Scanner reads one JSON object. Reset validates the whole text in one pass, the members' values included, and then
// Next walks the members. Once it has grown to the size of its texts, it allocates nothing while objects have at most
// 32 members and names are spelled without escapes.
//
//	s.Reset(data)
//	for s.Next() {
//		switch string(s.Name()) { … s.Value() … }
//	}
//	err := s.Err()
//
// A text with an error has no members. The zero Scanner is one after Reset(nil). A Scanner is for one goroutine at a
// time.
type Scanner struct {
	data   []byte
	err    *SyntaxError
	valid  bool
	few    bool // whether more than maxLinear members in one object are an error
	escape int  // where the last escape is, or -1

	members []Member // while scanning, those of all open objects, the innermost object's last; then the outermost's
	count   int      // how many of them there are

	current int // the index of the current member, counted from 1; 0 before the first, -1 after the last
}

// A span is a part of a text.
type span struct{ start, end int }

// Reset reads data, and makes s stand before its first member. data must not change while s, its names or its values
// are in use.
func (s *Scanner) Reset(data []byte) { s.read(data, true, false) }

// ResetFew is Reset for a text of which nobody knows yet where it comes from: an object of more than 32 members is an
// error, so that a hostile text can't make s grow.
func (s *Scanner) ResetFew(data []byte) { s.read(data, true, true) }

// read validates data: one object, or one value of any kind.
func (s *Scanner) read(data []byte, object, few bool) {
	s.data, s.err, s.valid, s.few, s.escape = data, nil, false, few, -1
	s.count, s.current = 0, 0
	end := -1
	switch at, c := s.token(0); {
	case len(data) > maxLength:
		s.err = &SyntaxError{0, "text longer than 2 GiB"}
	case c == '{':
		end = s.scanObject(at, 1)
	case object:
		s.fail(at, "expected an object")
	default:
		end = s.scanValue(at, 0)
	}
	if end >= 0 {
		s.finish(end)
	}
	if !s.valid {
		s.count = 0
	}
}

// Next moves to the next member of the object. It returns false when there is none.
func (s *Scanner) Next() bool {
	if s.current == s.count {
		s.current = -1
	}
	if s.current < 0 {
		return false
	}
	s.current++
	return true
}

// Name returns the name of the current member, without escapes.
func (s *Scanner) Name() []byte { return s.member().Name(s.data) }

// Value returns the value of the current member.
func (s *Scanner) Value() Value { return s.member().Value(s.data) }

// member returns the current member, which is a zero one before the first and after the last.
func (s *Scanner) member() *Member {
	if s.current <= 0 {
		return new(Member)
	}
	return &s.members[s.current-1]
}

// Members returns all members of the object at once, in their order, for who has no time for Next. They hold until the
// next Reset.
func (s *Scanner) Members() []Member { return s.members[:s.count] }

// Err returns what is wrong with the text, a *SyntaxError, or nil.
func (s *Scanner) Err() error {
	if s.valid {
		return nil
	}
	if s.err == nil {
		s.fail(0, "") // nothing has been read yet
	}
	return s.err
}

// Valid returns nil if data is one JSON value, of any kind, and a *SyntaxError otherwise.
func Valid(data []byte) error {
	s := borrow()
	defer s.giveBack()
	s.read(data, false, false)
	return s.Err()
}

// ValidFew is Valid for an object that is to be read after ResetFew.
func ValidFew(data []byte) error {
	s := borrow()
	defer s.giveBack()
	s.ResetFew(data)
	return s.Err()
}

var scanners = sync.Pool{New: func() any { return new(Scanner) }}

// maxPooled is how many members a Scanner in the pool may have room for.
const maxPooled = 1 << 10

func borrow() *Scanner { return scanners.Get().(*Scanner) }

func (s *Scanner) giveBack() {
	if s.data, s.err = nil, nil; len(s.members) <= maxPooled {
		scanners.Put(s)
	}
}

// scanValue reads the value at i, which stands inside depth arrays and objects, and returns where it ends. Like all
// methods that return a position, it returns -1 after an error.
func (s *Scanner) scanValue(i, depth int) int {
	switch s.peek(i) {
	case '"':
		return s.scanString(i)
	case '-', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9':
		return s.scanNumber(i)
	case '{', '[':
		return s.scanNested(i, depth+1)
	case 't':
		return s.scanLiteral(i, "true")
	case 'f':
		return s.scanLiteral(i, "false")
	case 'n':
		return s.scanLiteral(i, "null")
	}
	return s.fail(i, "expected a value")
}

// scanNested reads the object or array at i.
func (s *Scanner) scanNested(i, depth int) (end int) {
	if depth > MaxDepth {
		return s.fail(i, "nested too deeply")
	}
	if s.data[i] == '[' {
		return s.scanArray(i, depth)
	}
	around := s.count
	end = s.scanObject(i, depth)
	s.count = around
	return end
}

// Two bytes as hasPairAt reads them.
const (
	endOfName = '"' | ':'<<8
	nextName  = ',' | '"'<<8
)

// scanObject reads the object at i, and leaves its members on top of those of the objects around it. It's where the
// time for a token goes, and so calls others only for what is rare.
func (s *Scanner) scanObject(i, depth int) int {
	data, object := s.data, s.open()
	i, more := s.firstElement(i+1, '}')
	for more {
		if byteAt(data, i) != '"' {
			return s.fail(i, "expected a member's name")
		}
		name, hash, plain := i+1, uint64(0), false
		for ; name >= 0 && name <= len(data)-8; name += 8 {
			word := wordAt(data, name)
			if marks := unusual(word); marks != 0 {
				name, hash = name+bits.TrailingZeros64(marks)/8, mix(hash, (word|spaces)&upToFirst(marks))
				plain = hasPairAt(data, name, endOfName)
				break
			}
			hash = mix(hash, word|spaces)
		}
		value := name + 2
		if !plain {
			if name, hash = s.scanUnusualName(i); name < 0 {
				return -1
			}
			if value = s.scanColon(name + 1); value < 0 {
				return -1
			}
		}
		if bit := uint64(1) << (hash >> 58); object.filter&bit == 0 && s.count < object.room {
			object.filter |= bit
		} else if refusal := s.admit(&object, hash, i+1, name); refusal != "" {
			return s.fail(i, refusal)
		}
		place := s.count
		s.count++
		m := &s.members[place]
		m.hash, m.nameStart, m.nameEnd, m.nameEscaped = uint32(hash>>32), int32(i+1), int32(name), s.escape > i
		m.valueStart, m.kind, m.valueEscaped = int32(value), String, false

		var end int
		switch first := byteAt(data, value); {
		case first == '"':
			if end = plainEnd(data, value+1) + 1; byteAt(data, end-1) != '"' {
				end = s.scanUnusualString(end - 1)
				m.valueEscaped = s.escape > value
			}
		case '1' <= first && first <= '9':
			m.kind = Number
			if end = digitsEnd(data, value); byteAt(data, end) != ',' {
				end = s.scanNumber(value)
			}
		case first == '[' && depth < MaxDepth:
			end = s.scanArray(value, depth+1)
			m = &s.members[place] // they may have moved
			m.kind, m.valueEscaped = Array, s.escape > value
		default:
			value, first = s.token(value)
			end = s.scanValue(value, depth)
			m = &s.members[place]
			m.valueStart, m.kind, m.valueEscaped = int32(value), kindOf(first), s.escape > value
		}
		if end < 0 {
			return -1
		}
		m.valueEnd = int32(end)
		if i = end + 1; !hasPairAt(data, end, nextName) {
			i, more = s.nextElement(end, '}')
		}
	}
	return i
}

// scanArray reads the array at i. Lists of strings are what tokens have.
func (s *Scanner) scanArray(i, depth int) int {
	data := s.data
	at, more := i+1, true
	if byteAt(data, at) != '"' {
		at, more = s.firstElement(at, ']')
	}
	for more {
		var end int
		if byteAt(data, at) != '"' {
			end = s.scanValue(at, depth)
		} else if end = plainEnd(data, at+1) + 1; byteAt(data, end-1) != '"' {
			end = s.scanUnusualString(end - 1)
		}
		if end < 0 {
			return -1
		}
		switch c := byteAt(data, end); {
		case c == ']':
			return end + 1
		case c == ',' && byteAt(data, end+1) == '"':
			at = end + 1
		default:
			at, more = s.nextElement(end, ']')
		}
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
		return
	}
	s.valid = true
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
func (s *Scanner) peek(i int) byte { return byteAt(s.data, i) }

func byteAt(data []byte, i int) byte {
	if uint(i) < uint(len(data)) {
		return data[i]
	}
	return 0
}

// hasPairAt reports whether two bytes are at i, the first one lowest.
func hasPairAt(data []byte, i int, pair uint16) bool {
	return i >= 0 && i <= len(data)-2 && uint16(data[i])|uint16(data[i+1])<<8 == pair
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
