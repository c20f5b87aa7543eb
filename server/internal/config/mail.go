package config

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/jot-auth/jot/server"
	"github.com/jot-auth/jot/server/internal/privatefile"
)

const maxLine = 1 << 10 // bytes

// withoutSecrets is what is configured of mail before a file is read.
func (m Mail) withoutSecrets() server.Mail {
	password := m.Password
	if password == "" && m.PasswordFile != "" {
		password = "in a file" // in its place; open puts the real one
	}
	return server.Mail{
		Server: m.Server, From: m.From, Username: m.Username, Password: password, VerifyPage: m.VerifyPage, ResetPage: m.ResetPage,
	}
}

// open reads the files.
func (m Mail) open(into *server.Mail) (err error) {
	if into.Roots, err = certificates("mail.roots", m.Roots); err != nil || m.PasswordFile == "" || m.Password != "" {
		return err
	}
	password, err := readLine(m.PasswordFile)
	if err != nil {
		return fmt.Errorf("mail.password_file: %w", err)
	}
	into.Password = password
	return nil
}

// readLine reads a secret that isn't ours to make from its file.
func readLine(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close() // it was only read
	if err := privatefile.Check(file); err != nil {
		return "", err
	}
	text, err := io.ReadAll(io.LimitReader(file, maxLine))
	if err != nil {
		return "", err
	}
	line := strings.TrimRight(string(text), "\r\n")
	if line == "" || strings.ContainsAny(line, "\r\n") || len(text) == maxLine {
		return "", fmt.Errorf("%s doesn't hold exactly one line", path)
	}
	return line, nil
}
