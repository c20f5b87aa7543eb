package mail

import (
	"cmp"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/mail"
	"net/smtp"
	"net/textproto"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/internal/loopback"
)

const (
	dialTimeout    = 10 * time.Second
	deliverTimeout = 30 * time.Second // of one letter, from the dialling to the last answer
	implicitTLS    = "465"            // the port on which TLS comes first (RFC 8314 §3.3)
)

// SMTP is the server that takes letters. The connection is encrypted, with TLS from the beginning on port 465 and with
// STARTTLS on all others, and the server shows a certificate for its name; only on this very machine it may be plain.
type SMTP struct {
	Server   string         // host:port
	From     string         // an address, or "Name <address>"
	Username string         // "": nobody asks who sends
	Password string         // of the user
	Roots    *x509.CertPool // that its certificate may come from; nil: the system's
}

// Validate says what is wrong with the settings.
func (s SMTP) Validate() error {
	host, port, err := net.SplitHostPort(s.Server)
	if err != nil || host == "" || port == "" {
		return fmt.Errorf("mail server %.64q: write it as smtp.example.com:587", s.Server)
	}
	from, err := mail.ParseAddress(s.From)
	if err != nil || !isLine(s.From) || !strings.Contains(from.Address, "@") {
		return fmt.Errorf("mail from %.64q: write it as auth@example.com, or Example <auth@example.com>", s.From)
	}
	if (s.Username == "") != (s.Password == "") {
		return errors.New("mail username and password belong together: give both, or neither")
	}
	return nil
}

// Deliver hands one letter to the server.
func (s SMTP) Deliver(ctx context.Context, m Message) error {
	from, err := mail.ParseAddress(s.From)
	if err != nil {
		return err
	}
	text, err := m.encode(*from, time.Now())
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, deliverTimeout)
	defer cancel()
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "tcp", s.Server)
	if err != nil {
		return err
	}
	defer conn.Close() // the answers were read
	// The conversation knows nothing of contexts: when this one ends, so does every wait on the connection.
	stop := context.AfterFunc(ctx, func() { conn.SetDeadline(time.Unix(1, 0)) })
	defer stop()
	client, err := s.greet(conn)
	if err == nil {
		err = converse(client, from.Address, m.To, text)
	}
	return cmp.Or(ctx.Err(), err)
}

// errUnready is a server that letters can't be shown to at all: none of them is given up for it.
var errUnready = errors.New("the mail server")

// greet encrypts a connection and says who sends.
func (s SMTP) greet(conn net.Conn) (*smtp.Client, error) {
	host, port, err := net.SplitHostPort(s.Server)
	if err != nil {
		return nil, err
	}
	config := &tls.Config{ServerName: host, RootCAs: s.Roots, MinVersion: tls.VersionTLS12}
	plain := loopback.Ends(conn.RemoteAddr().String()) && s.Roots == nil
	if port == implicitTLS {
		conn = tls.Client(conn, config)
	}
	client, err := smtp.NewClient(conn, host)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errUnready, err)
	}
	if port != implicitTLS && !plain {
		if err := client.StartTLS(config); err != nil {
			return nil, fmt.Errorf("%w: STARTTLS: %w", errUnready, err)
		}
	}
	if s.Username != "" {
		if err := client.Auth(smtp.PlainAuth("", s.Username, s.Password, host)); err != nil {
			return nil, fmt.Errorf("%w: AUTH: %w", errUnready, err)
		}
	}
	return client, nil
}

// converse hands over a letter.
func converse(client *smtp.Client, from, to string, text []byte) error {
	if err := client.Mail(from); err != nil {
		return fmt.Errorf("MAIL: %w", err)
	}
	if err := client.Rcpt(to); err != nil {
		return fmt.Errorf("RCPT: %w", err)
	}
	data, err := client.Data()
	if err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	if _, err := data.Write(text); err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	if err := data.Close(); err != nil {
		return fmt.Errorf("DATA: %w", err)
	}
	_ = client.Quit() // the server has the letter
	return nil
}

// permanent reports whether the server will never take this letter (RFC 5321 §4.2.1).
func permanent(err error) bool {
	var answer *textproto.Error
	return errors.Is(err, errMessage) || errors.As(err, &answer) && answer.Code >= 500 && !errors.Is(err, errUnready)
}
