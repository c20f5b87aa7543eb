package jose

// A Member is what a Scanner knows of one member of an object. Its places are in the text that the Scanner has read,
// those of the name without the quotes.
type Member struct {
	hash                      uint32 // of the name, the same for all fold-equal ones
	nameStart, nameEnd        int32
	valueStart, valueEnd      int32
	kind                      Kind
	nameEscaped, valueEscaped bool // whether the name, or a string in the value, has an escape
}

// Name returns the name, without escapes, of a member of text.
func (m *Member) Name(text []byte) []byte {
	name := text[m.nameStart:m.nameEnd]
	if m.nameEscaped {
		return unescaped(name)
	}
	return name
}

// Value returns the value of a member of text.
func (m *Member) Value(text []byte) Value {
	return Value{text[m.valueStart:m.valueEnd:m.valueEnd], m.valueStart, m.kind, m.valueEscaped}
}

// Place is Place of the Value, and needs no text.
func (m *Member) Place() (start, end int32, ok bool) {
	return m.valueStart + 1, m.valueEnd - 1, m.kind == String && !m.valueEscaped
}
