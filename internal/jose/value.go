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

func kindOf(first byte) Kind {
	switch first {
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

// A Value is one valid JSON value inside a scanned text. It aliases the text, and holds as long as the text is
// unchanged.
type Value struct {
	raw     []byte
	offset  int32 // into the text
	kind    Kind
	escaped bool // whether a string in it has an escape
}

// Kind returns what the value is.
func (v Value) Kind() Kind { return v.kind }

// Raw returns the value as it is written.
func (v Value) Raw() []byte { return v.raw }

// Bool reports whether the value is true.
func (v Value) Bool() bool { return v.kind == Bool && v.raw[0] == 't' }

// AppendString appends the text of a String, without escapes, to dst. Any other value appends nothing.
func (v Value) AppendString(dst []byte) []byte {
	if v.kind != String {
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
	if v.kind != String {
		return nil, false
	}
	if !v.escaped {
		return v.text(), true
	}
	return appendUnescaped(make([]byte, 0, len(v.raw)), v.text()), true
}

// Place returns where the text of a String stands in the scanned text. ok is false for a String that is written with
// escapes, and for any other value.
func (v Value) Place() (start, end int32, ok bool) {
	return v.offset + 1, v.offset + int32(len(v.raw)) - 1, v.kind == String && !v.escaped
}

// text returns what stands between a String's quotes.
func (v Value) text() []byte { return v.raw[1 : len(v.raw)-1] }

// Elements returns a cursor before the first element of an Array. Any other value has no elements.
func (v Value) Elements() Elements {
	if v.kind != Array {
		return Elements{}
	}
	return Elements{array: v, at: 1}
}

// Elements walks the elements of an Array, without allocating.
//
//	for e := v.Elements(); e.Next(); {
//		… e.Value() …
//	}
type Elements struct {
	array Value // the zero Value after the last element
	at    int   // after the opening bracket, or after the current element
	value Value
}

// Next moves to the next element. It returns false when there is none.
func (e *Elements) Next() bool {
	list := e.array.raw
	start := skipTo(list, e.at)
	if start >= len(list)-1 {
		*e = Elements{}
		return false
	}
	if list[start] == '"' && !e.array.escaped {
		e.at = start + 2 + bytes.IndexByte(list[start+1:], '"')
	} else {
		e.at = skipValue(list, start)
	}
	e.value = newValue(list[start:e.at], e.array.offset+int32(start), e.array.escaped)
	return true
}

// Value returns the current element.
func (e *Elements) Value() Value { return e.value }

// newValue returns a valid value. mayEscape is false where no string in it has an escape.
func newValue(raw []byte, offset int32, mayEscape bool) Value {
	kind := kindOf(raw[0])
	return Value{raw, offset, kind, mayEscape && bytes.IndexByte(raw, '\\') >= 0}
}

// Parse checks that data is Valid and returns its value.
func Parse(data []byte) (Value, error) {
	if err := Valid(data); err != nil {
		return Value{}, err
	}
	raw := bytes.TrimLeft(data, " \t\r\n")
	offset := len(data) - len(raw)
	return newValue(bytes.TrimRight(raw, " \t\r\n"), int32(offset), true), nil
}
