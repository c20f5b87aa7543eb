// Package mail sends letters to people: plain text, through one SMTP server, from a bounded outbox that tries again.
package mail

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"mime"
	"mime/quotedprintable"
	"net/mail"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Message is a letter.
type Message struct {
	To      string // an address, without a name
	Subject string // of one line
	Text    string // lines end with \n
}

// errMessage is a letter that can't be sent to anybody: an address that is none, or a header of several lines.
var errMessage = errors.New("mail: the letter has an address that is none, or a line break in a header")

// check refuses what could add a header or a recipient.
func (m Message) check() error {
	to, err := mail.ParseAddress(m.To)
	if err != nil || to.Address != m.To || !isLine(m.To) || !isLine(m.Subject) || !utf8.ValidString(m.Text) {
		return errMessage
	}
	return nil
}

func isLine(text string) bool {
	return utf8.ValidString(text) && !strings.ContainsFunc(text, unicode.IsControl)
}

// encode writes a letter as RFC 5322 has it. Nothing in it can add a header: each is one line or encoded.
func (m Message) encode(from mail.Address, now time.Time) ([]byte, error) {
	if err := m.check(); err != nil {
		return nil, err
	}
	_, domain, _ := strings.Cut(from.Address, "@")
	var b bytes.Buffer
	for _, header := range [][2]string{
		{"From", from.String()},
		{"To", (&mail.Address{Address: m.To}).String()},
		{"Subject", mime.QEncoding.Encode("utf-8", m.Subject)},
		{"Date", now.Format(time.RFC1123Z)},
		{"Message-ID", "<" + rand.Text() + "@" + domain + ">"},
		{"Auto-Submitted", "auto-generated"}, // so that no machine answers (RFC 3834)
		{"MIME-Version", "1.0"},
		{"Content-Type", "text/plain; charset=utf-8"},
		{"Content-Transfer-Encoding", "quoted-printable"},
	} {
		fmt.Fprintf(&b, "%s: %s\r\n", header[0], header[1])
	}
	b.WriteString("\r\n")
	body := quotedprintable.NewWriter(&b)
	if _, err := body.Write([]byte(strings.ReplaceAll(m.Text, "\n", "\r\n"))); err != nil {
		return nil, err
	}
	return b.Bytes(), body.Close()
}
