package cli

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"runtime"

	"github.com/jot-auth/jot/jwe"
	"github.com/spf13/cobra"
	"golang.org/x/term"
)

// passwordFlags say where a password comes from. It's never an argument, which other users of the machine could read.
type passwordFlags struct {
	ask  bool
	file string

	alg        string
	iterations int
}

func (f *passwordFlags) addFlags(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&f.ask, "password", false, "ask for a password at the terminal")
	cmd.Flags().StringVar(&f.file, "password-file", "", "`FILE` that holds a password on its one line, - for standard input")
}

// addCostFlags adds what is chosen when a password encrypts. To decrypt, the message says it.
func (f *passwordFlags) addCostFlags(cmd *cobra.Command) {
	words := names(passwordAlgorithms...)
	cmd.Flags().StringVar(&f.alg, "password-alg", words[0], "use the password with `ALG`: "+list(words))
	cmd.Flags().IntVar(&f.iterations, "iterations", 0, "`N` iterations for each guess at the password, 1000 to 1200000 (default 600000 with\nPBES2-HS256+A128KW, 210000 with the others)")
}

// checkCost refuses what is chosen for a password where there is none.
func (f passwordFlags) checkCost(cmd *cobra.Command) error {
	if !f.given() {
		return refuseFlags(cmd, []string{"password-alg", "iterations"}, "goes with --password or --password-file FILE")
	}
	if cmd.Flags().Changed("iterations") && (f.iterations < 1000 || f.iterations > 1_200_000) {
		return usagef("--iterations is 1000 to 1200000")
	}
	return checkNames("password-alg", []string{f.alg}, names(passwordAlgorithms...))
}

func (f passwordFlags) given() bool { return f.ask || f.file != "" }

func (f passwordFlags) check() error {
	if f.ask && f.file != "" {
		return usagef("--password and --password-file exclude each other: give one")
	}
	return nil
}

// read returns the password, asked for twice where it is to be chosen. It is never empty.
func (f passwordFlags) read(cmd *cobra.Command, choose bool) ([]byte, error) {
	if f.file != "" {
		return readPasswordFile(cmd, f.file)
	}
	password, err := askPassword(cmd, "Password: ")
	if err != nil {
		return nil, err
	}
	if len(password) == 0 {
		return nil, errors.New("the password is empty")
	}
	if !choose {
		return password, nil
	}
	again, err := askPassword(cmd, "The same again: ")
	if err == nil && !bytes.Equal(password, again) {
		err = errors.New("the two passwords differ: start again")
	}
	return password, err
}

// key makes a key of a password. One that's no good is told by its file.
func (f passwordFlags) key(alg jwe.Algorithm, password []byte, id string) (*jwe.Password, error) {
	key, err := jwe.NewPassword(alg, password, jwe.PasswordOptions{KeyID: id, Iterations: f.iterations})
	if err != nil && f.file != "" {
		return nil, fmt.Errorf("%s: %w", f.file, err)
	}
	return key, err
}

func readPasswordFile(cmd *cobra.Command, name string) ([]byte, error) {
	data, err := readInput(cmd, name, "a password", maxInput)
	if err != nil {
		return nil, err
	}
	password := trimLine(data)
	if len(password) == 0 || bytes.ContainsAny(password, "\r\n") {
		return nil, fmt.Errorf("%s: a password file holds exactly one line", name)
	}
	if name != "-" {
		warnIfExposed(cmd, name, "a password")
	}
	return password, nil
}

// askPassword asks at the terminal itself, wherever the standard streams lead, and shows nothing of what is typed.
func askPassword(cmd *cobra.Command, prompt string) ([]byte, error) {
	in, out, err := openTerminal()
	if err != nil {
		return nil, errors.New("there is no terminal to ask for a password: give --password-file FILE")
	}
	defer in.Close() // what was read and written has been checked
	defer out.Close()
	before, err := term.GetState(int(in.Fd()))
	if err != nil {
		return nil, fmt.Errorf("asking for a password: %w", err)
	}
	if _, err := fmt.Fprint(out, prompt); err != nil {
		return nil, fmt.Errorf("asking for a password: %w", err)
	}
	defer fmt.Fprintln(out)
	type result struct {
		password []byte
		err      error
	}
	done := make(chan result, 1)
	go func() { // ends with the line, or with the process
		password, err := term.ReadPassword(int(in.Fd()))
		done <- result{password, err}
	}()
	select {
	case <-cmd.Context().Done():
		return nil, errors.Join(errors.New("interrupted while asking for a password"), term.Restore(int(in.Fd()), before))
	case r := <-done:
		return r.password, r.err
	}
}

// openTerminal opens what a person reads and types at.
func openTerminal() (in, out *os.File, err error) {
	input, output := "/dev/tty", "/dev/tty"
	if runtime.GOOS == "windows" {
		input, output = "CONIN$", "CONOUT$"
	}
	if in, err = os.OpenFile(input, os.O_RDWR, 0); err != nil {
		return nil, nil, err
	}
	if out, err = os.OpenFile(output, os.O_RDWR, 0); err != nil {
		return nil, nil, errors.Join(err, in.Close())
	}
	return in, out, nil
}
