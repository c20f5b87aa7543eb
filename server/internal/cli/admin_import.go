package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/strictjson"
)

const (
	maxImportLine = 64 << 10 // bytes, as a request may have
	importReport  = 1000     // lines between two reports
	importTries   = 10       // of one line, while the server is busy
	importPause   = time.Second
)

var errThere = errors.New("it is there already")

const importLong = `Make accounts, and give them second factors, by the lines of a file, - for standard input: of another system, or of 'jot export'. Each line is a JSON object:

  {"username":"ada","password_hash":"$2b$12$abc...","email":"ada@example.com","email_verified":true,
   "sub":"person-7","scope":"pets:read","claims":{"team":"red"},"disabled":false}

or the second factor of an account that is there:

  {"sub":"person-7","totp_secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ","recovery_hashes":["d9ef..."],"created":"2030-01-02T03:04:05Z"}

or a passkey of it, which is good under the host name of the server's URL alone:

  {"sub":"person-7","rp_id":"auth.example.com","name":"Phone","credential_id":"3q2-7w","public_key":"pQECAyYg...","user_handle":"cGVyc29uLTc",
   "sign_count":7,"transports":["internal"],"backup_eligible":true,"backed_up":true,"recovery_hashes":["d9ef..."],"created":"2030-01-02T03:04:05Z"}

Of an account only username and password_hash are needed. A hash is of Argon2id, Argon2i or scrypt, as a PHC string, or of bcrypt; at the next login
the server replaces it by an Argon2id hash of its own. Without sub the account gets a random one. Of one-time codes only sub and
totp_secret are needed, the base32 that its owner's app has; of a passkey sub, rp_id, name, credential_id and public_key (COSE), and what the authenticator knows: user_handle,
sign_count and backup_eligible. The recovery codes are those of an account's first second factor. 'jot export' writes all of them, into accounts.jsonl, factors.jsonl and
passkeys.jsonl.

What is there already is left as it is, so an import that was interrupted is run again, or goes on with --from. The first line that
can't be stops it, unless --skip is given.`

func newUserImportCommand(a *adminFlags) *cobra.Command {
	var from int
	var skip bool
	cmd := &cobra.Command{
		Use: "import FILE|-", Short: "Make accounts with the password hashes of another system", Args: oneArgument("FILE"), DisableFlagsInUseLine: true,
		Long: importLong,
		Example: `  jot admin user import accounts.jsonl
  jot admin user import factors.jsonl
  jot admin user import passkeys.jsonl`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if from < 1 {
				return usagef("--from is at least 1")
			}
			server, err := a.server()
			if err != nil {
				return err
			}
			in := cmd.InOrStdin()
			if args[0] != "-" {
				file, err := os.Open(args[0])
				if err != nil {
					return fmt.Errorf("can't read the accounts: %w", err)
				}
				defer file.Close() // it was only read
				in = file
			}
			i := importer{cmd: cmd, server: server, from: from, skip: skip}
			return i.run(bufio.NewReaderSize(in, maxImportLine))
		},
	}
	cmd.Flags().IntVar(&from, "from", 1, "begin with line `N`")
	cmd.Flags().BoolVar(&skip, "skip", false, "go on after a line that can't be")
	return cmd
}

// importer makes accounts and factors, line by line.
type importer struct {
	cmd    *cobra.Command
	server *adminServer
	from   int
	skip   bool

	line, made, there, refused int
}

func (i *importer) run(in *bufio.Reader) error {
	for {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) {
			return i.stopped(fmt.Errorf("it has more than %d KiB", maxImportLine>>10))
		}
		if err != nil && err != io.EOF {
			return i.stopped(err)
		}
		ended := err == io.EOF
		if text = bytes.TrimSpace(text); len(text) > 0 || !ended {
			i.line++
		}
		if len(text) > 0 && i.line >= i.from {
			if err := i.record(text); err != nil {
				return i.stopped(err)
			}
		}
		if ended {
			i.report()
			return nil
		}
		if i.line%importReport == 0 {
			i.report()
		}
	}
}

// stopped says with which line to go on.
func (i *importer) stopped(err error) error {
	i.report()
	line := max(i.line, 1)
	return fmt.Errorf("line %d: %w; mend it and go on with --from %d", line, err, line)
}

func (i *importer) report() {
	say(i.cmd, "line %d: %d made, %d there already, %d refused", i.line, i.made, i.there, i.refused)
}

// record makes what one line says. What can't be is an error, or told and counted.
func (i *importer) record(text []byte) error {
	err := i.make(text)
	switch {
	case err == nil:
		i.made++
		return nil
	case errors.Is(err, errThere):
		i.there++
		return nil
	}
	failed, answered := errors.AsType[*serverError](err)
	if !i.skip || answered && failed.Status != http.StatusBadRequest { // of which the line isn't guilty
		return err
	}
	i.refused++
	say(i.cmd, "line %d is left out: %v", i.line, err)
	return nil
}

// make makes an account or a factor, whichever the line is. It fails with errThere where it is there already.
func (i *importer) make(text []byte) error {
	var members map[string]json.RawMessage
	err := strictjson.Unmarshal(text, &members)
	if _, mistyped := errors.AsType[*json.UnmarshalTypeError](err); mistyped {
		return errors.New("it is no JSON object")
	}
	if err != nil {
		return err
	}
	_, named := members["username"]
	switch {
	case !named && members["totp_secret"] != nil:
		return i.factor(members, http.MethodPut, "totp")
	case !named && members["credential_id"] != nil:
		return i.factor(members, http.MethodPost, "passkeys")
	}
	return i.account(text)
}

func (i *importer) account(text []byte) error {
	var named struct {
		Username string `json:"username"`
		Subject  string `json:"sub"`
	}
	if err := strictjson.Unmarshal(text, &named); err != nil {
		return err
	}
	if named.Username == "" {
		return errors.New("it has no username")
	}
	err := i.send(http.MethodPost, "/subjects", json.RawMessage(text))
	if !isStatus(err, http.StatusConflict) {
		return err
	}
	if i.same(named.Username, named.Subject) {
		return errThere
	}
	return errors.New("another account has its username, its address or its sub")
}

// factor gives an account its one-time codes, or a passkey. Whatever it has already stays: its owner may have come
// since.
func (i *importer) factor(members map[string]json.RawMessage, method, kind string) error {
	var sub string
	if err := json.Unmarshal(members["sub"], &sub); err != nil || sub == "" {
		return errors.New("it has no sub")
	}
	delete(members, "sub")
	err := i.send(method, "/subjects/"+escapePath(sub)+"/factors/"+kind, members)
	switch {
	case isStatus(err, http.StatusConflict):
		return errThere
	case isStatus(err, http.StatusNotFound):
		return errors.New("no account has its sub: import the accounts first")
	}
	return err
}

func isStatus(err error, status int) bool {
	failed, answered := errors.AsType[*serverError](err)
	return answered && failed.Status == status
}

// send asks the server, and waits while it has too much to do.
func (i *importer) send(method, path string, body any) error {
	for try := 1; ; try++ {
		err := i.server.call(i.cmd.Context(), method, path, body, nil)
		failed, answered := errors.AsType[*serverError](err)
		if !answered || failed.Status != http.StatusServiceUnavailable || try == importTries {
			return err
		}
		select {
		case <-time.After(importPause):
		case <-i.cmd.Context().Done():
			return i.cmd.Context().Err()
		}
	}
}

// same reports whether the account of a name is the one of the line: it was imported before.
func (i *importer) same(name, sub string) bool {
	var found struct {
		Subjects []record `json:"subjects"`
	}
	if err := i.server.call(i.cmd.Context(), http.MethodGet, "/subjects?"+firstNamed(name), nil, &found); err != nil || len(found.Subjects) == 0 {
		return false
	}
	user := &found.Subjects[0]
	return strings.EqualFold(user.text("username"), name) && (sub == "" || user.text("sub") == sub)
}
