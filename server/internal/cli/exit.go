package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"regexp"
	"strings"
	"syscall"

	"github.com/jot-auth/jot"
	"github.com/spf13/cobra"
)

// The exit codes; scripts rely on them.
const (
	exitOK      = 0
	exitFailure = 1 // a file, the network, a key source
	exitUsage   = 2 // a wrong command line
	exitInvalid = 3 // a token that is refused or broken
	exitExpired = 5 // a token that has expired
)

// statusError is an error with an exit code of its own. Without a cause everything has been said already.
type statusError struct {
	code  int
	cause error
}

func (e *statusError) Error() string {
	if e.cause == nil {
		return fmt.Sprintf("exit code %d", e.code)
	}
	return e.cause.Error()
}

func (e *statusError) Unwrap() error { return e.cause }

// usagef is a mistake on the command line.
func usagef(format string, args ...any) error {
	return &statusError{exitUsage, fmt.Errorf(format, args...)}
}

// exitCode tells a person what went wrong and returns the code for the shell.
func exitCode(cmd *cobra.Command, err error) int {
	if err == nil {
		return exitOK
	}
	code := exitFailure
	if status, ok := errors.AsType[*statusError](err); ok {
		code = status.code
		if status.cause == nil {
			return code
		}
	}
	if readerLeft(cmd, err) {
		return code
	}
	stderr := cmd.ErrOrStderr()
	fmt.Fprintf(stderr, "%s %s\n", styleFor(stderr).bad("jot:"), message(err))
	if code == exitUsage {
		fmt.Fprintf(stderr, "     see '%s --help'\n", cmd.CommandPath())
	}
	return code
}

// readerLeft reports whether the error is only that whoever reads the output has seen enough, as head does.
func readerLeft(cmd *cobra.Command, err error) bool {
	output, isFile := cmd.OutOrStdout().(*os.File)
	failed, ok := errors.AsType[*fs.PathError](err)
	return ok && isFile && failed.Path == output.Name() && errors.Is(failed, syscall.EPIPE)
}

// refusedFor is a refusal as a person reads it: its name, and the detail without the name said again.
func refusedFor(v verdict, detail string) error {
	for _, again := range []string{"malformed token", "malformed message"} {
		if rest, ok := strings.CutPrefix(detail, again); ok {
			detail = strings.TrimLeft(rest, ":; ")
		}
	}
	if detail != "" {
		detail = ": " + detail
	}
	return &statusError{v.exitCode(), errors.New("refused (" + v.Error + ")" + detail)}
}

// packageNames are what the library's errors begin with, alone or within another error.
var packageNames = regexp.MustCompile(`(^|: )(?:(?:jot|jws|jwe|jwks|server|issuer|config|api|accounts|console|feed): )+`)

// unavailable is what the library's errors say in front, at the end or at both when keys can't be had.
var unavailable = strings.TrimPrefix(jot.ErrUnavailable.Error(), "jot: ")

// severalLines are several mistakes at once, or what was tried, each on a line of its own.
var severalLines = strings.NewReplacer(":\n\t", ": ", "\n\t", "; ", "\n", "; ")

// message is an error as a person reads it: on one line, without the library's names, safe on a terminal.
func message(err error) string {
	text := severalLines.Replace(err.Error())
	text = packageNames.ReplaceAllString(text, "$1")
	if errors.Is(err, jot.ErrUnavailable) {
		text = unavailable + ": " + strings.TrimSuffix(strings.TrimPrefix(text, unavailable+": "), ": "+unavailable)
	}
	return printable(text)
}

// warn tells of something that doesn't stop the command.
func warn(cmd *cobra.Command, format string, args ...any) {
	stderr := cmd.ErrOrStderr()
	fmt.Fprintf(stderr, "%s %s\n", styleFor(stderr).caution("warning:"), printable(fmt.Sprintf(format, args...)))
}

// say tells of something that was done.
func say(cmd *cobra.Command, format string, args ...any) {
	fmt.Fprintln(cmd.ErrOrStderr(), printable(fmt.Sprintf(format, args...)))
}
