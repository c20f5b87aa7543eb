package cli

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// notChecked ends every report.
const notChecked = "signature NOT checked"

// errKeyForToken is a key where a token belongs. It's not shown: it may be a private one.
var errKeyForToken = errors.New("this is a key, not a token: see jot key")

func newInspectCommand() *cobra.Command {
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "inspect [--json] TOKEN|-",
		Short: "Show what a token says, without checking it",
		Long: `Show what a token says, without checking it: its header, its claims with dates
as dates, its size and what takes it, and claims that should not be in a token.
Of a broken token it shows what can be read, and where it breaks; positions
count bytes from 0. It takes signed and encrypted messages of all kinds (JWS,
JWE, in compact form or JSON); of what is encrypted it shows the headers, the
recipients and the sizes.

It never tells whether a token can be trusted: that is what verify is for. The
token never leaves this machine. Without TOKEN it comes from JOT_TOKEN.

Exit codes: 0 readable, 1 an error, 2 a wrong command line, 3 broken.`,
		Example: `  jot inspect - < token
  jot inspect --json - < token
  jot eyJhbGciOiJub25lIn0.eyJzdWIiOiJhbGljZSJ9.`,
		Args:                  oneToken,
		RunE:                  func(cmd *cobra.Command, args []string) error { return runInspect(cmd, args, asJSON) },
		DisableFlagsInUseLine: true,
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "print it as JSON")
	return cmd
}

func runInspect(cmd *cobra.Command, args []string, asJSON bool) error {
	raw, err := readToken(cmd, args, maxInput)
	if errors.Is(err, jot.ErrTooLarge) {
		return &statusError{exitInvalid, err}
	}
	if err != nil {
		return err
	}
	if isKey(raw) {
		return &statusError{exitInvalid, errKeyForToken}
	}
	token := dissect(raw)
	if asJSON {
		err = printObject(cmd, newInspection(token, time.Now()))
	} else {
		stdout := cmd.OutOrStdout()
		err = newReport(token, styleFor(stdout), time.Now()).writeTo(stdout)
	}
	if err == nil && len(token.problems) > 0 {
		return &statusError{code: exitInvalid}
	}
	return err
}

// inspection is the object that jot inspect --json prints.
type inspection struct {
	Kind             string            `json:"kind"` // "JWS" or "JWE"
	Header           json.RawMessage   `json:"header"`
	Payload          json.RawMessage   `json:"payload"`
	HeaderText       string            `json:"header_text,omitempty"`  // what can be read, when it isn't an object
	PayloadText      string            `json:"payload_text,omitempty"` // the same
	Parties          []inspectedParty  `json:"parties,omitempty"`      // signers or recipients, in JSON serialization
	Dates            map[string]string `json:"dates,omitempty"`        // RFC 3339
	Size             sizes             `json:"size"`
	Warnings         []string          `json:"warnings"`
	Problems         []problem         `json:"problems"`
	SignatureChecked bool              `json:"signature_checked"` // never
}

// inspectedParty is a signer or a recipient.
type inspectedParty struct {
	Header      json.RawMessage `json:"header,omitempty"`
	Unprotected json.RawMessage `json:"unprotected,omitempty"`
	Size        int             `json:"size"` // of the signature or the encrypted key, in bytes
}

// sizes are in bytes.
type sizes struct {
	Token     int            `json:"token"`
	Header    int            `json:"header"`
	Payload   int            `json:"payload"`
	Signature int            `json:"signature"`
	Claims    map[string]int `json:"claims,omitempty"` // in the decoded payload
}

func newInspection(a *anatomy, now time.Time) inspection {
	i := inspection{
		Kind:     "JWS",
		Size:     sizes{len(a.raw), len(a.header.encoded), len(a.payload.encoded), len(a.signature.encoded), map[string]int{}},
		Dates:    map[string]string{},
		Warnings: append([]string{}, a.warnings()...),
		Problems: append([]problem{}, a.problems...),
	}
	if a.encrypted {
		i.Kind = "JWE"
	}
	for _, p := range a.parties {
		described := inspectedParty{Size: len(p.sealed.content)}
		described.Header, _ = p.header.object()
		described.Unprotected, _ = p.open.object()
		i.Parties = append(i.Parties, described)
	}
	i.Header, i.HeaderText = a.header.object()
	i.Payload, i.PayloadText = a.payload.object()
	for _, m := range a.payload.members {
		i.Size.Claims[m.name] += m.size
		if dateNames[m.name] {
			if _, seconds, known := describeDate(m.value, now); known {
				i.Dates[m.name] = time.Unix(seconds, 0).UTC().Format(time.RFC3339)
			}
		}
	}
	return i
}

// object returns a part's JSON when it follows the rules, and its text when it doesn't.
func (p part) object() (json.RawMessage, string) {
	if p.broken || p.opaque || len(p.content) == 0 {
		return nil, printable(string(p.content))
	}
	return p.content, ""
}
