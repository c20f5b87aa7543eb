package cli

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
)

// noRaceSleep spares each process that a script starts the second for which the race detector waits at exit.
const noRaceSleep = "atexit_sleep_ms=0"

// TestMain makes this test binary stand in for the command wherever a script runs jot.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"jot": func() {
			os.Exit(Run(context.Background(), os.Args[1:], os.Stdin, os.Stdout, os.Stderr))
		},
	})
}

func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata",
		RequireExplicitExec: true,
		Setup: func(env *testscript.Env) error {
			server := newIssuer(env.WorkDir)
			env.Defer(server.Close)
			env.Setenv("ISSUER", server.URL)
			env.Setenv("GORACE", noRaceSleep)
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"exits":   exits,
			"forge":   forge,
			"mode":    checkMode,
			"readenv": readEnv,
			"repeat":  repeat,
			"isjson":  checkJSON,

			"adminserver": adminServerCommand,
			"post":        post,
			"member":      setMember,
			"totp":        setCode,
			"database":    useDatabase,
		},
	})
}

// newIssuer serves the files of a directory, and the metadata that leads to its jwks.json.
func newIssuer(dir string) *httptest.Server {
	mux := http.NewServeMux()
	server := httptest.NewServer(mux)
	mux.Handle("/", http.FileServer(http.Dir(dir)))
	mux.HandleFunc("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		json.NewEncoder(w).Encode(map[string]string{"issuer": server.URL, "jwks_uri": server.URL + "/jwks.json"})
	})
	return server
}

// exits CODE COMMAND…: runs a command and checks its exit code.
func exits(ts *testscript.TestScript, _ bool, args []string) {
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	got := 0
	if exit, ok := errors.AsType[*exec.ExitError](ts.Exec(args[1], args[2:]...)); ok {
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit code %d, not %d", got, want)
	}
}

// forge FILE HEADER PAYLOAD [SIGNATURE]: writes a token of these texts, whatever they are.
func forge(ts *testscript.TestScript, _ bool, args []string) {
	if len(args) < 3 {
		ts.Fatalf("usage: forge FILE HEADER PAYLOAD [SIGNATURE]")
	}
	var parts []string
	for _, text := range append(args[1:], "")[:3] {
		unquoted, err := strconv.Unquote("`" + text + "`")
		if strings.Contains(text, `\x`) {
			unquoted, err = strconv.Unquote(`"` + strings.ReplaceAll(text, `"`, `\"`) + `"`)
		}
		ts.Check(err)
		parts = append(parts, base64.RawURLEncoding.EncodeToString([]byte(unquoted)))
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Join(parts, ".")), 0o600))
}

// mode OCTAL FILE: checks a file's permissions.
func checkMode(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Lstat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := fmt.Sprintf("%04o", info.Mode().Perm()); got != args[0] {
		ts.Fatalf("%s has mode %s, not %s", args[1], got, args[0])
	}
}

// readenv NAME FILE: sets a variable to the content of a file, without its last line feed.
func readEnv(ts *testscript.TestScript, _ bool, args []string) {
	ts.Setenv(args[0], strings.TrimSuffix(ts.ReadFile(args[1]), "\n"))
}

// repeat FILE TEXT COUNT: writes a text many times over.
func repeat(ts *testscript.TestScript, _ bool, args []string) {
	count, err := strconv.Atoi(args[2])
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(strings.Repeat(args[1], count)), 0o600))
}

// isjson FILE: checks that a file holds exactly one JSON value on one line.
func checkJSON(ts *testscript.TestScript, _ bool, args []string) {
	text := ts.ReadFile(args[0])
	if !json.Valid([]byte(text)) || strings.Count(text, "\n") != 1 {
		ts.Fatalf("%s is not one JSON value on one line", args[0])
	}
}
