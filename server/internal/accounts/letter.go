package accounts

import (
	"context"
	"embed"
	"errors"
	"strings"
	"text/template"
	"time"

	"github.com/jot-auth/jot/server/issuer"
)

// Letter is a mail to a person, in plain text. The zero value is none.
type Letter struct {
	To      string // an address
	Subject string
	Text    string // lines end with \n
}

// Post takes letters, which it delivers later.
type Post interface {
	// Send takes a letter, or fails with issuer.ErrBusy when it has too many. Whoever posts it doesn't wait for it to
	// be written: write runs when it is the letter's turn, and may answer that there is none.
	Send(write func(context.Context) (Letter, error)) error
}

// Links are what the letters lead to: each is the URL of a page to which a code is appended, such as
// https://app.example.com/reset#. Without one a letter has the code, for people to enter.
type Links struct {
	Verify string
	Reset  string
}

//go:embed letters
var letterFiles embed.FS

var letters = template.Must(template.New("letters").Option("missingkey=error").ParseFS(letterFiles, "letters/*.txt"))

// facts are what a letter tells.
type facts struct{ Name, Issuer, Code, Link string }

// letter writes a letter by its template, whose first line is the subject.
func (a *Accounts) letter(to, kind string, f facts) (Letter, error) {
	f.Issuer = a.issuer.URL()
	var text strings.Builder
	if err := letters.ExecuteTemplate(&text, kind+".txt", f); err != nil {
		return Letter{}, err
	}
	subject, body, _ := strings.Cut(text.String(), "\n")
	return Letter{To: to, Subject: subject, Text: body}, nil
}

// link is where a letter leads, "" where nobody has said.
func link(page, code string) string {
	if page == "" {
		return ""
	}
	return page + code
}

// tell sends a letter that nobody waits for, if there is an address that is known to be the person's. Where it's lost
// nothing else is.
func (a *Accounts) tell(account Account, kind string) {
	if a.config.Post == nil || !account.Email.Verified || !a.mayTell(account.Subject, kind) {
		return
	}
	_ = a.config.Post.Send(func(context.Context) (Letter, error) {
		return a.letter(account.Email.Address, kind, facts{Name: account.Shown()})
	})
}

// tellOwner is tell for whoever has an account then when it's the letter's turn.
func (a *Accounts) tellOwner(subject, kind string) {
	if a.config.Post == nil || !a.mayTell(subject, kind) {
		return
	}
	_ = a.config.Post.Send(func(ctx context.Context) (Letter, error) {
		account, err := a.accountOf(ctx, subject)
		if errors.Is(err, issuer.ErrNotFound) || err == nil && !account.Email.Verified {
			return Letter{}, nil
		}
		if err != nil {
			return Letter{}, err
		}
		return a.letter(account.Email.Address, kind, facts{Name: account.Shown()})
	})
}

// countTimeout bounds how long a change that stands waits for its letter to be counted.
const countTimeout = 5 * time.Second

// mayTell counts a letter that tells of a change, by account and kind: nobody fills the outbox, which is everybody's,
// by changing their own password to and fro. The owner has had the first ones. One that can't be counted is sent.
func (a *Accounts) mayTell(subject, kind string) bool {
	if a.config.NoThrottling {
		return true
	}
	ctx, cancel := context.WithTimeout(context.Background(), countTimeout) // whoever asked for the change may have hung up
	defer cancel()
	_, err := a.charge(ctx, []limit{{a.slot(byNotice, subject, kind), a.config.PerAccount}})
	var throttled *issuer.ThrottledError
	return !errors.As(err, &throttled)
}

// mail is the post office, or fails with issuer.ErrNoMail.
func (a *Accounts) mail() (Post, error) {
	if a.config.Post == nil {
		return nil, issuer.ErrNoMail
	}
	return a.config.Post, nil
}
