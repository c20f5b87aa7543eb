package server

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log/slog"
	"net/url"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/mail"
	"github.com/jot-auth/jot/server/issuer"
)

// Mail is how letters reach people: to verify an address, to choose a new password. The zero value sends none.
type Mail struct {
	// Server is the SMTP server, host:port. The connection is encrypted: with TLS from the beginning on port 465, else
	// with STARTTLS, which only a server on this very machine needn't offer.
	Server string
	// From is who letters are from: an address, or "Name <address>".
	From string
	// Username and Password are for a server that asks who sends.
	Username, Password string
	// Roots are where its certificate may come from; nil means the system's.
	Roots *x509.CertPool

	// Print takes letters as text, for development, instead of a server.
	Print io.Writer

	// VerifyPage and ResetPage are URLs of pages of yours, to which a letter appends its code, such as
	// https://app.example.com/reset#code=. "" is the page of this server.
	VerifyPage, ResetPage string
}

func (m Mail) smtp() mail.SMTP {
	return mail.SMTP{Server: m.Server, From: m.From, Username: m.Username, Password: m.Password, Roots: m.Roots}
}

// Validate says what is wrong.
func (m Mail) Validate() error {
	if m.Server == "" {
		if m.From+m.Username+m.Password != "" {
			return errors.New("mail server is empty: name it, or leave out what else is said of mail")
		}
		return nil
	}
	var errs []error
	for _, page := range []struct{ name, text string }{{"mail verify page", m.VerifyPage}, {"mail reset page", m.ResetPage}} {
		u, err := url.Parse(page.text)
		if page.text != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
			errs = append(errs, errors.New(page.name+" isn't a URL: write it as https://app.example.com/page#code="))
		}
	}
	return errors.Join(append(errs, m.smtp().Validate())...)
}

// links are the pages that letters lead to: this server's own, where no others are named. It takes the code in the
// query, since its pages have no scripts.
func (m Mail) links(url string) accounts.Links {
	return accounts.Links{Verify: cmp.Or(m.VerifyPage, url+"/verify-email?code="), Reset: cmp.Or(m.ResetPage, url+"/reset-password?code=")}
}

// openOutbox is nil where no letters are sent.
func (m Mail) openOutbox(logger *slog.Logger) *mail.Outbox {
	switch {
	case m.Print != nil:
		return mail.Open(mail.Printer(m.Print), logger)
	case m.Server != "":
		return mail.Open(m.smtp().Deliver, logger)
	}
	return nil
}

// post is the outbox as the accounts see it.
type post struct{ *mail.Outbox }

func (p post) Send(write func(context.Context) (accounts.Letter, error)) error {
	err := p.Outbox.Send(func(ctx context.Context) (mail.Message, error) {
		letter, err := write(ctx)
		return mail.Message(letter), err
	})
	if errors.Is(err, mail.ErrFull) {
		err = issuer.ErrBusy
	}
	return err
}
