// Package jose reads what JSON Web Tokens are written in, strictly: base64url without padding (RFC 7515 §2), the
// compact form (RFC 7515 §3.1), and JSON (RFC 8259) that no two parsers can understand differently.
//
// The rules for JSON go beyond the grammar. RFC 8259 §4 leaves it open what an object with two members of one name
// means, and parsers that ignore case see such pairs where others see none. So an object whose member names are equal,
// or equal when letter case is ignored, is refused at every depth, and so are invalid UTF-8, escapes that name half of
// a surrogate pair, anything after the value, and more than MaxDepth levels of nesting.
package jose

import "fmt"

// SyntaxError says where a text broke the rules, and which. It never quotes the text.
type SyntaxError struct {
	Offset int    // bytes before the place where reading failed
	Reason string // what is wrong there
}

// Error returns the reason and the offset.
func (e *SyntaxError) Error() string {
	return fmt.Sprintf("%s at byte %d", e.Reason, e.Offset)
}
