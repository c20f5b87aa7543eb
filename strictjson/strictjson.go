// Package strictjson decodes JSON that can be understood in one way only.
package strictjson

import "github.com/jot-auth/jot/internal/jose"

// SyntaxError says at which byte offset a text broke the rules, and which rule. It never quotes the text.
type SyntaxError = jose.SyntaxError

// Valid returns nil if data is one strict JSON value, and a *SyntaxError otherwise.
func Valid(data []byte) error { return jose.Valid(data) }

// Unmarshal decodes data into v.
func Unmarshal(data []byte, v any) error { return jose.Unmarshal(data, v) }

// UnmarshalKnown is Unmarshal, and refuses members that v has no field for.
func UnmarshalKnown(data []byte, v any) error { return jose.UnmarshalKnown(data, v) }
