package cli

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"time"
	"unicode/utf8"
)

const (
	maxValue     = 1000 // characters of a value shown to a person
	maxFragment  = 200  // bytes of text that couldn't be read as JSON
	maxNameWidth = 20
	largest      = 5 // claims named for their size
)

// report writes the anatomy of a token for a person. All that comes from the token is escaped.
type report struct {
	*anatomy
	style style
	now   time.Time
	text  bytes.Buffer
}

func newReport(a *anatomy, s style, now time.Time) *report {
	return &report{anatomy: a, style: s, now: now}
}

func (r *report) writeTo(w io.Writer) error {
	switch {
	case r.json && r.encrypted:
		r.present("Protected header", r.header)
		r.present("Shared header, not protected", r.shared)
		r.writeParties("Recipient", "encrypted key")
		r.writeSealed()
	case r.json:
		r.writePayload()
		r.writeParties("Signature", "signature")
	case r.encrypted:
		r.object("Header", r.header)
		r.writeSealed()
	default:
		r.object("Header", r.header)
		r.writePayload()
		r.writeSignature()
		r.writeSize()
	}
	r.list("Warnings", r.style.caution, r.warnings())
	var broken []string
	for _, p := range r.problems {
		broken = append(broken, fmt.Sprintf("%s: %s, at byte %d of the token", p.Part, p.Reason, p.Position))
	}
	r.list("Broken", r.style.bad, broken)
	r.line("%s", r.style.caution(notChecked))
	_, err := w.Write(r.text.Bytes())
	return err
}

func (r *report) line(format string, args ...any) { fmt.Fprintf(&r.text, format+"\n", args...) }

func (r *report) title(format string, args ...any) {
	r.line("%s", r.style.title(fmt.Sprintf(format, args...)))
}

func (r *report) list(title string, mark func(string) string, lines []string) {
	if len(lines) == 0 {
		return
	}
	r.title("%s", title)
	for _, line := range lines {
		r.line("  %s", mark(printable(line)))
	}
	r.line("")
}

// present shows an object that may also be missing.
func (r *report) present(title string, p part) {
	if p.name != "" {
		r.object(title, p)
	}
}

// writePayload shows claims, or says that there are none and shows how the payload begins.
func (r *report) writePayload() {
	switch p := r.payload; {
	case !p.opaque:
		r.object("Payload", p)
		return
	case len(p.content) == 0:
		r.title("Payload (none, or detached)")
	default:
		r.title("Payload (%s, not claims)", bytesOf(len(p.content)))
		r.line("  %s", fragment(p.content))
	}
	r.line("")
}

// writeParties shows the signers or recipients of a message in JSON.
func (r *report) writeParties(title, sealed string) {
	for i, p := range r.parties {
		number := fmt.Sprintf("%s %d of %d", title, i+1, len(r.parties))
		r.present(number+": protected header", p.header)
		r.present(number+": header, not protected", p.open)
		r.title("%s: %s (%s)", number, sealed, bytesOf(len(p.sealed.content)))
		r.line("")
	}
}

// object shows the members of a header or payload, and what is left when it breaks.
func (r *report) object(title string, p part) {
	if p.encoded == "" {
		r.title("%s (none)", title)
		r.line("")
		return
	}
	r.title("%s (%s)", title, bytesOf(len(p.content)))
	width := nameWidth(p.members)
	for _, m := range p.members {
		r.line("  %-*s  %s", width, printable(m.name), r.value(m))
	}
	if rest := p.content[p.read:]; p.broken && len(bytes.Trim(rest, "} \t\r\n")) > 0 {
		r.line("  %s", r.style.faint("and unread: "+fragment(rest)))
	}
	r.line("")
}

func nameWidth(members []member) int {
	width := 0
	for _, m := range members {
		width = max(width, utf8.RuneCountInString(printable(m.name)))
	}
	return min(width, maxNameWidth)
}

// value shows a value as JSON, and a date as a date as well.
func (r *report) value(m member) string {
	text := shortened(displayed(m.value), maxValue)
	if !dateNames[m.name] {
		return text
	}
	date, seconds, known := describeDate(m.value, r.now)
	switch {
	case !known:
		return text + "  " + r.style.caution(date)
	case m.name == "exp" && seconds <= r.now.Unix(), m.name == "nbf" && seconds > r.now.Unix():
		return text + "  " + r.style.bad(date)
	}
	return text + "  " + date
}

// displayed is a value on one line. A string is escaped where it must be and nowhere else, so that escapes hide no
// word.
func displayed(value json.RawMessage) string {
	var text string
	if value[0] == '"' && json.Unmarshal(value, &text) == nil {
		if plain, err := encodeJSON(text); err == nil {
			return printable(string(plain))
		}
	}
	var compact bytes.Buffer
	if json.Compact(&compact, value) != nil {
		return printable(string(value))
	}
	return printable(compact.String())
}

// fragment is the start of a text that could not be read.
func fragment(text []byte) string {
	if len(text) <= maxFragment {
		return printable(string(text))
	}
	return printable(string(text[:maxFragment])) + "…"
}

func (r *report) writeSealed() {
	r.title("Encrypted (JWE, RFC 7516)")
	for _, p := range r.sealed {
		r.line("  %-21s  %s", p.name, bytesOf(len(p.content)))
	}
	r.line("  What is in it can be read only with a recipient's key.")
	r.line("")
}

func (r *report) writeSignature() {
	if r.signature.encoded == "" {
		r.title("Signature (none)")
	} else {
		r.title("Signature (%s)", bytesOf(len(r.signature.content)))
		r.line("  %s", printable(shortened(r.signature.encoded, maxValue)))
	}
	r.line("")
}

// writeSize shows which claims take the room.
func (r *report) writeSize() {
	r.title("Size (%s: header %d, payload %d, signature %d)", bytesOf(len(r.raw)),
		len(r.header.encoded), len(r.payload.encoded), len(r.signature.encoded))
	members := slices.Clone(r.payload.members)
	slices.SortStableFunc(members, func(a, b member) int { return cmp.Compare(b.size, a.size) })
	members = members[:min(len(members), largest)]
	width := nameWidth(members)
	if r.payload.opaque {
		members = nil
	}
	for _, m := range members {
		r.line("  %-*s  %s, %d %% of the payload", width, printable(m.name), bytesOf(m.size), 100*m.size/len(r.payload.content))
	}
	r.line("")
}

func bytesOf(n int) string {
	if n == 1 {
		return "1 byte"
	}
	return fmt.Sprintf("%d bytes", n)
}
