package server

import (
	"bufio"
	"context"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/jot-auth/jot/server/internal/accounts"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/server/sqlstore"
)

// exportBatch is how many records are read at once.
const exportBatch = 500

// ExportConfig says what is exported. KeyEncryptionKey and Database or DataDir are required, and as in Config.
type ExportConfig struct {
	Database               string
	DataDir                string
	KeyEncryptionKey       []byte
	OlderKeyEncryptionKeys [][]byte
	URL                    string // of the issuer; needed where there are passkeys, which are good under its host name alone
}

// Exported counts what was exported.
type Exported struct{ Accounts, Factors, Passkeys, Subjects, Clients, Resources, Keys, Events int }

// Export writes what another system needs to go on into a new directory, for nobody but its owner:
//
//   - accounts.jsonl, with password hashes
//   - factors.jsonl, the secrets of the accounts' one-time codes (RFC 6238, base32), and passkeys.jsonl, public keys
//     (COSE, base64url), both with the hashes of recovery codes
//   - subjects.jsonl, the subjects without an account
//   - clients.jsonl and resources.jsonl, those that the database has
//   - keys.json, the private signing keys as a JWK Set (RFC 7517)
//   - events.jsonl
//
// 'jot admin user import' reads the first three, one after the other. Export reads one state of the database, beside
// servers that run on it. After an error there is no directory.
func Export(ctx context.Context, c ExportConfig, dir string) (done Exported, err error) {
	secrets, err := issuer.NewSecrets(c.keyEncryptionKeys()...)
	if err != nil {
		return Exported{}, err
	}
	store, err := openBeside(ctx, Config{Database: c.Database, DataDir: c.DataDir})
	if err != nil {
		return Exported{}, err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	if err := os.Mkdir(dir, 0o700); err != nil {
		return Exported{}, err
	}
	err = store.View(ctx, func(r issuer.Reader) error {
		e := exporter{reader: r, accounts: store.AccountsReader(r), dir: dir, secrets: secrets, config: c}
		err := errors.Join(e.subjects(), e.factors(), e.passkeys(), e.clients(), e.resources(), e.keys(), e.events())
		done = e.done
		return err
	})
	if err != nil {
		return Exported{}, errors.Join(err, os.RemoveAll(dir))
	}
	return done, nil
}

type exporter struct {
	reader   issuer.Reader
	accounts accounts.Reader
	dir      string
	secrets  issuer.Secrets
	config   ExportConfig
	done     Exported
}

// importable is an account as 'jot admin user import' reads it, and a subject without one.
type importable struct {
	Username      string          `json:"username,omitempty"`
	PasswordHash  string          `json:"password_hash,omitempty"`
	Email         string          `json:"email,omitempty"`
	EmailVerified bool            `json:"email_verified,omitempty"`
	Subject       string          `json:"sub"`
	Scope         string          `json:"scope"`
	Claims        json.RawMessage `json:"claims"`
	Disabled      bool            `json:"disabled"`
}

func (e *exporter) subjects() error {
	return e.file("subjects.jsonl", func(alone *json.Encoder) error {
		return e.file("accounts.jsonl", func(named *json.Encoder) error {
			return pages(func(after issuer.Position) ([]issuer.Subject, error) {
				return e.reader.Subjects(issuer.SubjectFilter{}, after, exportBatch)
			},
				func(s issuer.Subject) issuer.Position { return issuer.Position{Time: s.Created, ID: s.ID} },
				func(s issuer.Subject) error { return e.subject(s, named, alone) })
		})
	})
}

// subject writes one subject, unless it is a client's own.
func (e *exporter) subject(s issuer.Subject, named, alone *json.Encoder) error {
	if strings.HasPrefix(s.ID, issuer.ClientPrefix) {
		return nil
	}
	record := importable{Subject: s.ID, Scope: strings.Join(s.Scope, " "), Claims: s.Claims, Disabled: s.Disabled}
	account, err := e.accounts.AccountOfSubject(s.ID)
	if errors.Is(err, issuer.ErrNotFound) {
		e.done.Subjects++
		return alone.Encode(record)
	}
	if err != nil {
		return err
	}
	e.done.Accounts++
	record.Username, record.PasswordHash = account.Shown(), account.PasswordHash
	record.Email, record.EmailVerified = account.Email.Address, account.Email.Verified
	return named.Encode(record)
}

func (e *exporter) clients() error {
	return e.file("clients.jsonl", func(to *json.Encoder) error {
		return pages(func(after string) ([]issuer.Client, error) { return e.reader.Clients(after, exportBatch) },
			func(c issuer.Client) string { return c.ID },
			func(c issuer.Client) error { e.done.Clients++; return to.Encode(recordOf(c)) })
	})
}

func (e *exporter) resources() error {
	return e.file("resources.jsonl", func(to *json.Encoder) error {
		return pages(func(after string) ([]issuer.Resource, error) { return e.reader.Resources(after, exportBatch) },
			func(r issuer.Resource) string { return r.Audience },
			func(r issuer.Resource) error { e.done.Resources++; return to.Encode(recordOf(r)) })
	})
}

// factorRecord is what makes a subject's one-time codes.
type factorRecord struct {
	Subject  string    `json:"sub"`
	Secret   string    `json:"totp_secret"`
	Recovery []string  `json:"recovery_hashes"` // SHA-256, in hex
	Created  time.Time `json:"created"`
}

func (e *exporter) factors() error {
	return e.file("factors.jsonl", func(to *json.Encoder) error {
		return pages(func(after string) ([]accounts.TOTP, error) { return e.accounts.TOTPs(after, exportBatch) },
			func(f accounts.TOTP) string { return f.Subject },
			func(f accounts.TOTP) error {
				if !f.Confirmed {
					return nil
				}
				secret, _, err := e.secrets.OpenSecret(accounts.TOTPSecret, f.Subject, f.Sealed)
				if err != nil {
					return err
				}
				recovery, err := e.recovery(f.Subject)
				if err != nil {
					return err
				}
				e.done.Factors++
				return to.Encode(factorRecord{f.Subject, accounts.EncodeTOTPSecret(secret), recovery, f.Created})
			})
	})
}

// recovery are the hashes of a subject's recovery codes.
func (e *exporter) recovery(subject string) ([]string, error) {
	hashes, err := e.accounts.RecoveryHashes(subject)
	texts := make([]string, len(hashes))
	for n, hash := range hashes {
		texts[n] = hex.EncodeToString(hash[:])
	}
	return texts, err
}

// ownedPasskey is a passkey with whose it is, and where it's good. Its owner's recovery codes are with each: whichever
// is imported first brings them.
type ownedPasskey struct {
	Subject      string    `json:"sub"`
	RelyingParty string    `json:"rp_id"`
	UserHandle   string    `json:"user_handle"`
	Recovery     []string  `json:"recovery_hashes"`
	Created      time.Time `json:"created"`
	*web.PasskeyRecord
}

func (e *exporter) passkeys() error {
	host, err := accounts.RelyingPartyID(e.config.URL)
	if err != nil {
		return err
	}
	return e.file("passkeys.jsonl", func(to *json.Encoder) error {
		return pages(func(after string) ([]issuer.Passkey, error) { return e.accounts.PasskeyPage(after, exportBatch) },
			func(p issuer.Passkey) string { return p.ID },
			func(p issuer.Passkey) error {
				if host == "" {
					return errors.New("there are passkeys, which are good under the host name of the issuer's URL: name that")
				}
				recovery, err := e.recovery(p.Subject)
				if err != nil {
					return err
				}
				e.done.Passkeys++
				handle := base64.RawURLEncoding.EncodeToString(accounts.UserHandle(p))
				return to.Encode(ownedPasskey{p.Subject, host, handle, recovery, p.Created, web.NewPasskeyRecord(p)})
			})
	})
}

func (c ExportConfig) keyEncryptionKeys() [][]byte {
	return slices.Concat([][]byte{c.KeyEncryptionKey}, c.OlderKeyEncryptionKeys)
}

func (e *exporter) keys() error {
	keys, err := issuer.OpenKeys(e.reader, e.config.keyEncryptionKeys()...)
	if err != nil {
		return err
	}
	e.done.Keys = len(keys)
	return e.file("keys.json", func(to *json.Encoder) error { return to.Encode(map[string]any{"keys": keys}) })
}

func (e *exporter) events() error {
	return e.file("events.jsonl", func(to *json.Encoder) error {
		return pages(func(after uint64) ([]issuer.Event, error) {
			return e.reader.Events(issuer.EventFilter{}, after, exportBatch)
		},
			func(v issuer.Event) uint64 { return v.ID },
			func(v issuer.Event) error { e.done.Events++; return to.Encode(web.NewEventRecord(v)) })
	})
}

// file writes a new file, which is on the disk when it returns nil.
func (e *exporter) file(name string, write func(*json.Encoder) error) (err error) {
	file, err := os.OpenFile(filepath.Join(e.dir, name), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	buffered := bufio.NewWriter(file)
	encoder := json.NewEncoder(io.Writer(buffered))
	encoder.SetEscapeHTML(false)
	if err := write(encoder); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return errors.Join(buffered.Flush(), file.Sync())
}

// pages reads a list to its end, and visits what is in it.
func pages[T, At any](read func(At) ([]T, error), at func(T) At, visit func(T) error) error {
	var after At
	for {
		page, err := read(after)
		if err != nil {
			return err
		}
		for _, record := range page {
			if err := visit(record); err != nil {
				return err
			}
			after = at(record)
		}
		if len(page) < exportBatch {
			return nil
		}
	}
}

// openBeside opens a database that a server has made, beside servers that run on it.
func openBeside(ctx context.Context, c Config) (*sqlstore.Store, error) {
	name := c.Database
	if name == "" {
		name = filepath.Join(c.DataDir, DatabaseName)
	}
	schema, err := sqlstore.ReadSchema(ctx, name)
	if err == nil && schema.Version == 0 {
		err = errors.New("it is empty")
	}
	if err != nil {
		return nil, fmt.Errorf("server: there is no database yet: start the server once (%w)", err)
	}
	if len(schema.Pending) > 0 { // a server of an older version may be at work
		return nil, errors.New("server: the database is of an older version than this program: start the server of this version first")
	}
	store, err := openStore(ctx, c, sqlstore.Options{})
	if err != nil {
		return nil, fmt.Errorf("server: opening the database: %w", err)
	}
	return store, nil
}
