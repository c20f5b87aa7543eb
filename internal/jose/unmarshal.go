package jose

import (
	"fmt"
	"unicode/utf8"
)

// Unmarshal checks that data is Valid and decodes it into v like encoding/json, except that a member goes only into the
// struct field of exactly its name, letter case included.
func Unmarshal(data []byte, v any) error {
	s := borrow()
	defer s.giveBack()
	s.read(data, false, false)
	return s.Decode(v)
}

// UnmarshalKnown is Unmarshal, and refuses a member for which its struct has no field, with an *UnknownMemberError.
// Types with an UnmarshalJSON method decide for themselves which members they know.
func UnmarshalKnown(data []byte, v any) error {
	if err := Valid(data); err != nil {
		return err
	}
	var unknown *UnknownMemberError
	eachStray(data, v, func(name span) {
		if unknown == nil {
			unknown = &UnknownMemberError{name.start - 1, printable(data[name.start:name.end])}
		}
	})
	if unknown != nil {
		return unknown
	}
	return decode(data, v)
}

// UnknownMemberError says that an object has a member for which its struct has no field of exactly that name.
type UnknownMemberError struct {
	Offset int    // bytes before the member
	Name   string // the member's name, cut to at most 64 bytes
}

// Error returns the name, quoted, and the offset.
func (e *UnknownMemberError) Error() string {
	return fmt.Sprintf("unknown member %q at byte %d", e.Name, e.Offset)
}

// printable returns the beginning of what a validated string's text stands for.
func printable(text []byte) string {
	const most = 64
	name := appendUnescaped(nil, text)
	if len(name) <= most {
		return string(name)
	}
	end := most
	for !utf8.RuneStart(name[end]) {
		end--
	}
	return string(name[:end])
}
