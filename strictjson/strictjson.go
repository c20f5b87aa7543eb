// Package strictjson decodes JSON that everybody reads alike.
//
// RFC 8259 §4 only says that names within an object should be unique. What a doubled name means is left open, and
// parsers differ: some take the first value, some the last, some both, and those that ignore letter case when they fill
// a struct, as encoding/json does, see pairs where others see two different names. That becomes a hole as soon as two
// programs look at one text: a gateway reads {"role":"user","Role":"admin"} and lets it pass, and the service behind it
// makes an administrator. The same goes for bytes that are not UTF-8, which one parser keeps and another replaces.
//
// So this package refuses, wherever it stands in the text,
//
//   - an object with two members whose names are equal, or equal under simple case folding ("role" and "Role", "iss"
//     and "iſs"; see [unicode.SimpleFold]), however they are spelled: "a" and "\u0061" are equal,
//   - invalid UTF-8, and escapes that name half of a surrogate pair (RFC 8259 §8.2, RFC 7493 §2.1),
//   - anything but white space after the value, and arrays and objects nested more than 32 deep,
//   - what RFC 8259 doesn't allow: comments, trailing commas, byte order marks, NaN, control characters in strings.
//
// Numbers of any size are valid. Whether one fits is decided when it is decoded.
//
// [Unmarshal] then decodes like encoding/json, with one difference: a member goes only into the struct field of exactly
// its name, letter case included. [UnmarshalKnown] also refuses members that no field is for, and suits the bodies of
// requests: {"roles":["admin"]} in a sign-up is an error, not silently without effect.
//
// The whole text is checked before anything is decoded, in time proportional to its length.
package strictjson

import "github.com/jot-auth/jot/internal/jose"

// SyntaxError says where a text is not strict JSON and why. Its fields are
//
//	Offset int    // bytes before the place where reading failed
//	Reason string // what is wrong there
//
// and it never quotes the text, so that it can be logged and sent back.
type SyntaxError = jose.SyntaxError

// UnknownMemberError says that an object has a member for which its struct has no field of exactly that name. Its
// fields are
//
//	Offset int    // bytes before the member
//	Name   string // the member's name, cut to at most 64 bytes
//
// and its text quotes the name, and never the value.
type UnknownMemberError = jose.UnknownMemberError

// Valid returns nil if data is strict JSON: one value of any kind. Otherwise it returns a *SyntaxError.
func Valid(data []byte) error { return jose.Valid(data) }

// Unmarshal decodes data, which must be strict JSON, into the value that v points to. It returns a *SyntaxError, with v
// unchanged, for any other text, and otherwise what [encoding/json.Unmarshal] returns: an error such as
// *json.UnmarshalTypeError leaves v partly filled.
func Unmarshal(data []byte, v any) error { return jose.Unmarshal(data, v) }

// UnmarshalKnown is Unmarshal, and returns an *UnknownMemberError, with v unchanged, if an object to be decoded into a
// struct has a member that no field of the struct is for. Types with a method UnmarshalJSON decide for themselves which
// members they know.
func UnmarshalKnown(data []byte, v any) error { return jose.UnmarshalKnown(data, v) }
