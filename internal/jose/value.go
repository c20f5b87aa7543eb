package jose

import "bytes"

// Kind is the kind of a JSON value.
type Kind byte

// The kinds of JSON values. Invalid is the kind of the zero Value.
const (
	Invalid Kind = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// A Value is one valid JSON value inside a scanned text. It aliases the text, and holds as long as the text is unchanged.
type Value struct {
	raw     []byte
	offset  int32 // into the text
	escaped bool  // whether a string in it has an escape
}

// Kind returns what the value is.
func (v Value) Kind() Kind {
	if len(v.raw) == 0 {
		return Invalid
	}
	switch v.raw[0] {
	case '"':
		return String
	case '{':
		return Object
	case '[':
		return Array
	case 't', 'f':
		return Bool
	case 'n':
		return Null
	default:
		return Number
	}
}

// Raw returns the value as it is written.
func (v Value) Raw() []byte { return v.raw }

// Bool reports whether the value is true.
func (v Value) Bool() bool { return len(v.raw) > 0 && v.raw[0] == 't' }

// AppendString appends the text of a String, without escapes, to dst. Any other value appends nothing.
func (v Value) AppendString(dst []byte) []byte {
	if v.Kind() != String {
		return dst
	}
	if !v.escaped {
		return append(dst, v.text()...)
	}
	return appendUnescaped(dst, v.text())
}

// Text returns the text of a String, without escapes. It aliases the scanned text when the String is written without
// escapes, and is new otherwise. ok is false for any other value.
func (v Value) Text() (text []byte, ok bool) {
	if v.Kind() != String {
		return nil, false
	}
	if !v.escaped {
		return v.text(), true
	}
	return appendUnescaped(make([]byte, 0, len(v.raw)), v.text()), true
}

// Place returns where the text of a String stands in the scanned text. ok is false for a String that is written with escapes,
// and for any other value.
func (v Value) Place() (start, end int, ok bool) {
	if v.Kind() != String || v.escaped {
		return 0, 0, false
	}
	return int(v.offset) + 1, int(v.offset) + len(v.raw) - 1, true
}

// text returns what stands between a String's quotes.
func (v Value) text() []byte { return v.raw[1 : len(v.raw)-1] }

// Elements returns a cursor before the first element of an Array. Any other value has no elements.
func (v Value) Elements() Elements {
	if v.Kind() != Array {
		return Elements{}
	}
	return Elements{rest: v.raw[1:], offset: v.offset + 1}
}

// Elements walks the elements of an Array, without allocating.
//
//	for e := v.Elements(); e.Next(); {
//		… e.Value() …
//	}
type Elements struct {
	rest   []byte // after the opening bracket, or after the current element
	offset int32  // of rest, into the text
	value  Value
}

// Next moves to the next element. It returns false when there is none.
func (e *Elements) Next() bool {
	at := skipTo(e.rest, 0)
	if at >= len(e.rest) || e.rest[at] == ']' {
		*e = Elements{}
		return false
	}
	end := skipValue(e.rest, at)
	raw := e.rest[at:end]
	e.value = Value{raw, e.offset + int32(at), raw[0] == '"' && bytes.IndexByte(raw, '\\') >= 0}
	e.rest, e.offset = e.rest[end:], e.offset+int32(end)
	return true
}

// Value returns the current element.
func (e *Elements) Value() Value { return e.value }

// Parse checks that data is Valid and returns its value.
func Parse(data []byte) (Value, error) {
	if err := Valid(data); err != nil {
		return Value{}, err
	}
	raw := bytes.TrimLeft(data, " \t\r\n")
	offset := len(data) - len(raw)
	raw = bytes.TrimRight(raw, " \t\r\n")
	return Value{raw, int32(offset), raw[0] == '"' && bytes.IndexByte(raw, '\\') >= 0}, nil
}
