package cli

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base32"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/spf13/cobra"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/issuer"
)

const testPassword = "correct horse battery staple"

// testServer is a real server over a directory.
type testServer struct {
	*server.Server
	url, data string
}

// startServer serves a directory until the returned function ends it.
func startServer(data string) (*testServer, func() error, error) {
	return startServerAt("127.0.0.1", data)
}

// startServerAt is startServer under another name of this machine: passkeys need one.
func startServerAt(host, data string) (*testServer, func() error, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	s := &testServer{url: strings.Replace("http://"+listener.Addr().String(), "127.0.0.1", host, 1), data: data}
	config, _ := development(s.url, data, slog.New(slog.DiscardHandler))
	kek, err := server.SecretFile(data + ".kek") // where commands look for it
	if err != nil {
		return nil, nil, err
	}
	config.Issuer.KeyEncryptionKey = kek.Bytes()
	ctx, stop := context.WithCancel(context.Background())
	if s.Server, err = server.New(ctx, config); err != nil {
		stop()
		return nil, nil, err
	}
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx, listener) }() // ends with stop
	return s, func() error {
		stop()
		if err := <-served; err != nil {
			return err
		}
		return s.Close()
	}, nil
}

// makeAdmin makes an administrator as an operator does, and returns its subject.
func (s *testServer) makeAdmin(name string) (string, error) {
	code, _, err := server.InviteAdmin(context.Background(), server.Config{DataDir: s.data})
	if err != nil {
		return "", err
	}
	body, err := json.Marshal(map[string]string{"code": code, "username": name, "password": testPassword})
	if err != nil {
		return "", err
	}
	response, err := http.Post(s.url+"/admin/v1/bootstrap", "application/json", bytes.NewReader(body))
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	var made struct {
		Subject string `json:"sub"`
	}
	if err := json.NewDecoder(response.Body).Decode(&made); err != nil || made.Subject == "" {
		return "", fmt.Errorf("status %d: %w", response.StatusCode, err)
	}
	return made.Subject, nil
}

// token is an access token for the admin API, without a login.
func (s *testServer) token(sub string) (string, error) {
	tokens, err := s.Issuer().Issue(context.Background(), issuer.Grant{Subject: sub, ClientID: issuer.CommandClient, Resource: s.Issuer().AdminAudience()})
	return tokens.Access, err
}

// adminServer [root [host]]: serves the directory data, as $URL, with an administrator root whose token is in the
// environment, if it's named.
func adminServerCommand(ts *testscript.TestScript, _ bool, args []string) {
	host := "127.0.0.1"
	if len(args) > 1 {
		host = args[1]
	}
	s, stop, err := startServerAt(host, ts.MkAbs("data"))
	ts.Check(err)
	ts.Defer(func() { ts.Check(stop()) })
	ts.Setenv("URL", s.url)
	ts.Setenv("XDG_CONFIG_HOME", ts.MkAbs("config"))
	if len(args) == 0 {
		return
	}
	sub, err := s.makeAdmin(args[0])
	ts.Check(err)
	token, err := s.token(sub)
	ts.Check(err)
	ts.Setenv("ROOT", sub)
	ts.Setenv("JOT_ADMIN_TOKEN", token)
}

// post PATH FILE: sends a file as JSON to $URL and its path, and checks that it's taken.
func post(ts *testscript.TestScript, refused bool, args []string) {
	response, err := http.Post(ts.Getenv("URL")+args[0], "application/json", strings.NewReader(os.Expand(ts.ReadFile(args[1]), ts.Getenv)))
	ts.Check(err)
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	ts.Check(err)
	if refused != (response.StatusCode >= 300) {
		ts.Fatalf("status %d: %s", response.StatusCode, answer)
	}
	ts.Check(os.WriteFile(ts.MkAbs("answer"), answer, 0o600))
}

// member FILE NAME VARIABLE: sets a variable to a member of a JSON object in a file.
func setMember(ts *testscript.TestScript, _ bool, args []string) {
	var object map[string]any
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &object))
	ts.Setenv(args[2], fmt.Sprint(object[args[1]]))
}

// totp SECRET VARIABLE: sets a variable to the one-time code of now.
func setCode(ts *testscript.TestScript, _ bool, args []string) {
	secret, err := base32.StdEncoding.DecodeString(args[0])
	ts.Check(err)
	mac := hmac.New(sha1.New, secret)
	binary.Write(mac, binary.BigEndian, time.Now().Unix()/30)
	sum := mac.Sum(nil)
	ts.Setenv(args[1], fmt.Sprintf("%06d", binary.BigEndian.Uint32(sum[sum[19]&15:])&0x7fffffff%1000000))
}

// memberOf is a member of a JSON object in a file.
func memberOf(t *testing.T, file, name string) string {
	t.Helper()
	text, err := os.ReadFile(file)
	check(t, err)
	var object map[string]any
	check(t, json.Unmarshal(text, &object))
	return fmt.Sprint(object[name])
}

// exampleRank puts the examples in an order in which each finds what it speaks of: what makes something is first, what
// deletes it last.
var exampleRank = map[string]int{"bootstrap": -3, "login": -2, "create": -1, "revoke": 1, "delete": 2}

// TestAdminExamples runs every example of the admin commands against one server.
func TestAdminExamples(t *testing.T) {
	dir := t.TempDir()
	s, stop, err := startServerAt("localhost", filepath.Join(dir, "jot-data"))
	check(t, err)
	t.Cleanup(func() { check(t, stop()) })
	sub, err := s.makeAdmin("ada")
	check(t, err)
	token, err := s.token(sub)
	check(t, err)
	keys, err := s.Issuer().Keys(t.Context())
	check(t, err)
	bob, err := s.SignUp(t.Context(), "bobby", testPassword)
	check(t, err)
	session, err := s.Issuer().Issue(t.Context(), issuer.Grant{Subject: bob})
	check(t, err)
	check(t, os.WriteFile(filepath.Join(dir, "password"), []byte(testPassword+"\n"), secretMode))
	imported := `{"username":"grace","sub":"grace-1","password_hash":"$2b$05$abcdefghijklmnopqrstuuFiPhXf1sVd3pCCRO.uVh34H/qI/ZsuS"}`
	check(t, os.WriteFile(filepath.Join(dir, "accounts.jsonl"), []byte(imported), secretMode))
	check(t, os.WriteFile(filepath.Join(dir, "factors.jsonl"), []byte(`{"sub":"grace-1","totp_secret":"GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"}`), secretMode))
	passkey := `{"sub":"grace-1","rp_id":"localhost","name":"Phone","credential_id":"AAAA","public_key":"pQECAyYgASFYIGsX0fLhLEJH-Lzm5WOkQPJ3A32BLeszoPShOUXYmMKWIlggT-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU"}`
	check(t, os.WriteFile(filepath.Join(dir, "passkeys.jsonl"), []byte(passkey), secretMode))
	check(t, os.WriteFile(filepath.Join(dir, "jot.toml"), []byte("issuer = 'https://auth.example.com'\ndata = 'jot-data'\n"), publicMode))
	runShell(t, dir, s.url, "jot key generate --out key.jwk")
	t.Setenv("XDG_CONFIG_HOME", filepath.Join(dir, "config"))
	t.Setenv("JOT_ADMIN_TOKEN", token)
	t.Setenv("SID", session.SessionID)
	runShell(t, dir, s.url, "jot admin user invite --json >made")
	t.Setenv("INVITATION", memberOf(t, filepath.Join(dir, "made"), "invitation_id"))
	t.Setenv("KID", keys[slices.IndexFunc(keys, func(k issuer.Key) bool { return k.State == issuer.KeyNext })].ID)

	var commands []*cobra.Command
	eachCommand(newRootCommand(), func(cmd *cobra.Command) {
		if cmd.Example != "" && isAdminCommand(cmd) {
			commands = append(commands, cmd)
		}
	})
	slices.SortStableFunc(commands, func(a, b *cobra.Command) int { return exampleRank[a.Name()] - exampleRank[b.Name()] })
	for _, cmd := range commands {
		if cmd.Name() == "bootstrap" { // there is no terminal
			cmd.Example = strings.NewReplacer("https://auth.example.com\n", "https://auth.example.com --json\n", "jot.toml\n", "jot.toml --json\n").Replace(cmd.Example)
		}
		runShell(t, dir, s.url, cmd.Example)
	}
}

// TestOwnLoginRecipe runs the lines of the documentation for a backend that brings its own login.
func TestOwnLoginRecipe(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Fatal("curl is missing; .ci/prepare installs it")
	}
	document, err := os.ReadFile("../../../docs/http-api.md")
	check(t, err)
	_, recipe, found := strings.Cut(string(document), "### Bring your own login")
	_, recipe, _ = strings.Cut(recipe, "```sh\n")
	recipe, _, ended := strings.Cut(recipe, "```")
	if !found || !ended {
		t.Fatal("the documentation has no such lines")
	}
	dir := t.TempDir()
	s, stop, err := startServer(filepath.Join(dir, "data"))
	check(t, err)
	t.Cleanup(func() { check(t, stop()) })
	sub, err := s.makeAdmin("root")
	check(t, err)
	token, err := s.token(sub)
	check(t, err)
	t.Setenv("JOT_ADMIN_TOKEN", token)
	runShell(t, dir, s.url, recipe)
	user, err := s.Issuer().Subject(t.Context(), "user-42")
	check(t, err)
	if sessions, _, err := s.Issuer().Sessions(t.Context(), issuer.SessionFilter{Subject: "user-42", Live: true}, issuer.Page{}); err != nil || len(sessions) != 1 || string(user.Claims) != `{"plan":"free"}` {
		t.Errorf("%+v, %+v, %v", user, sessions, err)
	}
}

// isAdminCommand tells the commands whose examples need a server.
func isAdminCommand(cmd *cobra.Command) bool {
	return strings.HasPrefix(cmd.CommandPath(), "jot admin ")
}
