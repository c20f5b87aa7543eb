package mail

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/quotedprintable"
	"net"
	"net/http/httptest"
	"net/mail"
	"strings"
	"testing"
	"time"
)

// exchange is a mail server that takes one letter a connection.
type exchange struct {
	*testing.T
	listener    net.Listener
	certificate *tls.Config // nil: it offers no STARTTLS
	refuse      map[string]string
	silent      bool
	got         chan transcript
}

// transcript is what a mail server was told.
type transcript struct {
	commands  []string
	letter    string
	encrypted bool
}

func newExchange(t *testing.T, e exchange) *exchange {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	e.T, e.listener, e.got = t, listener, make(chan transcript, 16)
	ended := make(chan struct{})
	go func() { // ends with the listener
		defer close(ended)
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			e.serve(conn)
		}
	}()
	t.Cleanup(func() { listener.Close(); <-ended })
	return &e
}

func (e *exchange) serve(conn net.Conn) {
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if e.silent {
		io.Copy(io.Discard, conn)
		return
	}
	var told transcript
	defer func() { e.got <- told }()
	lines := bufio.NewReader(conn)
	say := func(text string) { fmt.Fprintf(conn, "%s\r\n", text) }
	say("220 mail.example.com")
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return
		}
		line = strings.TrimRight(line, "\r\n")
		told.commands = append(told.commands, line)
		verb, _, _ := strings.Cut(line, " ")
		if answer, refused := e.refuse[verb]; refused {
			say(answer)
			continue
		}
		switch verb {
		case "EHLO":
			if e.certificate != nil && !told.encrypted {
				say("250-STARTTLS")
			}
			say("250 AUTH PLAIN")
		case "STARTTLS":
			if e.certificate == nil {
				say("502 no")
				continue
			}
			say("220 go on")
			secure := tls.Server(conn, e.certificate)
			if secure.Handshake() != nil {
				return
			}
			conn, lines, told.encrypted = secure, bufio.NewReader(secure), true
		case "AUTH":
			say("235 fine")
		case "DATA":
			say("354 tell")
			for {
				line, err := lines.ReadString('\n')
				if err != nil {
					return
				}
				if line == ".\r\n" {
					break
				}
				told.letter += strings.TrimPrefix(line, ".")
			}
			say("250 taken")
		case "QUIT":
			say("221 bye")
			return
		default:
			say("250 fine")
		}
	}
}

func (e *exchange) smtp() SMTP {
	return SMTP{Server: e.listener.Addr().String(), From: "Jöt <auth@example.com>"}
}

// certificates are those of a server on 127.0.0.1 and whoever trusts it.
func certificates(t *testing.T) (*tls.Config, *x509.CertPool) {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return &tls.Config{Certificates: s.TLS.Certificates}, roots
}

var hello = Message{To: "ada@example.com", Subject: "Wähle ein neues Passwort", Text: "Hello,\n\n.a line that begins with a dot\nand one of " + strings.Repeat("ü", 200) + "\n"}

// TestDeliver: a letter arrives as it was written, with headers that are one line each.
func TestDeliver(t *testing.T) {
	e := newExchange(t, exchange{})
	if err := e.smtp().Deliver(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	got := <-e.got
	letter, err := mail.ReadMessage(strings.NewReader(got.letter))
	if err != nil {
		t.Fatal(err)
	}
	subject, err := new(mime.WordDecoder).DecodeHeader(letter.Header.Get("Subject"))
	text, err2 := io.ReadAll(quotedprintable.NewReader(letter.Body))
	if err := errors.Join(err, err2); err != nil || subject != hello.Subject || strings.ReplaceAll(string(text), "\r\n", "\n") != hello.Text || letter.Header.Get("To") != "<ada@example.com>" {
		t.Errorf("%v: %q %q %q", err, subject, letter.Header, text)
	}
	for line := range strings.Lines(got.letter) {
		if len(line) > 80 {
			t.Errorf("a line of %d bytes: %q", len(line), line)
		}
	}
	if len(got.commands) < 4 || got.commands[1] != "MAIL FROM:<auth@example.com>" || got.commands[2] != "RCPT TO:<ada@example.com>" {
		t.Errorf("commands %q", got.commands)
	}
}

// TestEncryption: where there are roots nothing is said before TLS, and a server without it, or with another's
// certificate, hears of no letter.
func TestEncryption(t *testing.T) {
	certificate, roots := certificates(t)
	e := newExchange(t, exchange{certificate: certificate})
	s := e.smtp()
	s.Roots, s.Username, s.Password = roots, "jot", "secret"
	if err := s.Deliver(t.Context(), hello); err != nil {
		t.Fatal(err)
	}
	if got := <-e.got; !got.encrypted || got.letter == "" || !strings.HasPrefix(strings.Join(got.commands, "\n"), "EHLO localhost\nSTARTTLS\nEHLO localhost\nAUTH PLAIN ") {
		t.Errorf("told %+v", got)
	}
	for name, c := range map[string]struct {
		server exchange
		roots  *x509.CertPool
	}{
		"no STARTTLS":         {exchange{}, roots},
		"another certificate": {exchange{certificate: certificate}, x509.NewCertPool()},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExchange(t, c.server)
			s := e.smtp()
			s.Roots, s.Username, s.Password = c.roots, "jot", "secret"
			if err := s.Deliver(t.Context(), hello); err == nil || permanent(err) {
				t.Errorf("error %v", err)
			}
			if told := strings.Join((<-e.got).commands, "\n"); strings.Contains(told, "AUTH PLAIN ") || strings.Contains(told, "MAIL") {
				t.Errorf("told %q", told)
			}
		})
	}
}

// TestNoInjection: whatever a letter's fields hold, none adds a header, a recipient or a command.
func TestNoInjection(t *testing.T) {
	e := newExchange(t, exchange{})
	for _, m := range []Message{
		{To: "ada@example.com\r\nRCPT TO:<eve@example.com>"}, {To: "ada@example.com>\nBcc: eve@example.com"}, {To: "ada@example.com, eve@example.com"},
		{To: "Ada <ada@example.com>"}, {To: ""}, {To: "ada"}, {To: "ada@example.com", Subject: "a\r\nBcc: eve@example.com"}, {To: "ada@example.com", Subject: "a\nb"},
		{To: "ada@example.com", Subject: "\xff"}, {To: "ada@example.com", Text: "\xff"},
	} {
		if err := e.smtp().Deliver(t.Context(), m); !errors.Is(err, errMessage) || !permanent(err) {
			t.Errorf("%q: %v", m, err)
		}
	}
	smuggled := Message{To: "ada@example.com", Subject: "a", Text: "one\n.\nMAIL FROM:<eve@example.com>\r\n.\r\nQUIT\n"}
	if err := e.smtp().Deliver(t.Context(), smuggled); err != nil {
		t.Fatal(err)
	}
	if got := <-e.got; len(got.commands) != 5 || !strings.Contains(got.letter, "eve") {
		t.Errorf("told %q", got.commands)
	}
}

// TestRefusals: what the server will never take is told apart from what may pass.
func TestRefusals(t *testing.T) {
	for verb, c := range map[string]struct {
		answer    string
		permanent bool
	}{
		"RCPT": {"550 <ada@example.com> unknown", true}, "MAIL": {"451 later", false}, "DATA": {"554 no", true}, "EHLO": {"421 busy", false}, "AUTH": {"535 who?", false},
	} {
		e := newExchange(t, exchange{refuse: map[string]string{verb: c.answer, "HELO": c.answer}})
		s := e.smtp()
		if verb == "AUTH" {
			s.Username, s.Password = "jot", "secret"
		}
		if err := s.Deliver(t.Context(), hello); err == nil || permanent(err) != c.permanent {
			t.Errorf("%s: %v", verb, err)
		}
	}
}

// TestSilentServer: a server that says nothing holds nobody up longer than the context.
func TestSilentServer(t *testing.T) {
	e := newExchange(t, exchange{silent: true})
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if err := e.smtp().Deliver(ctx, hello); !errors.Is(err, context.DeadlineExceeded) {
		t.Error(err)
	}
}

func TestValidate(t *testing.T) {
	good := SMTP{Server: "smtp.example.com:587", From: "auth@example.com"}
	for name, change := range map[string]func(*SMTP){
		"no port":       func(s *SMTP) { s.Server = "smtp.example.com" },
		"no host":       func(s *SMTP) { s.Server = ":25" },
		"no sender":     func(s *SMTP) { s.From = "" },
		"two senders":   func(s *SMTP) { s.From = "a@example.com, b@example.com" },
		"line break":    func(s *SMTP) { s.From = "A\r\nBcc: b@example.com <a@example.com>" },
		"no password":   func(s *SMTP) { s.Username = "jot" },
		"only password": func(s *SMTP) { s.Password = "secret" },
	} {
		bad := good
		if change(&bad); bad.Validate() == nil {
			t.Errorf("%s: %+v is let through", name, bad)
		}
	}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
}
