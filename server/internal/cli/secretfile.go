package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"

	"github.com/spf13/cobra"
)

// The modes of key files: a secret is for its owner alone, a public key for whoever serves or checks it.
const (
	secretMode fs.FileMode = 0o600
	publicMode fs.FileMode = 0o644
)

// writeKeyFile writes a file of this mode. It never writes through a symbolic link, and over an existing
// file only by force; then the old file stays whole until the new one takes its place.
func writeKeyFile(name string, data []byte, mode fs.FileMode, force bool) error {
	info, err := os.Lstat(name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return createKeyFile(name, data, mode)
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("%s is a symbolic link, and keys are never written through one: name the file itself", name)
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: choose another name", name)
	case !force:
		return fmt.Errorf("%s exists already: choose another name, or replace it with --force", name)
	}
	return replaceKeyFile(name, data, mode)
}

// createKeyFile relies on O_EXCL, which refuses whatever has taken the name meanwhile, a link included.
func createKeyFile(name string, data []byte, mode fs.FileMode) error {
	file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	return finishKeyFile(file, data)
}

// replaceKeyFile renames a finished file over the old one, which replaces a link rather than following it.
func replaceKeyFile(name string, data []byte, mode fs.FileMode) error {
	file, err := os.CreateTemp(filepath.Dir(name), ".jot-*") // mode 0600
	if err != nil {
		return err
	}
	if err := finishKeyFile(file, data); err != nil {
		return err
	}
	if err := errors.Join(os.Chmod(file.Name(), mode), os.Rename(file.Name(), name)); err != nil {
		os.Remove(file.Name())
		return err
	}
	return nil
}

// finishKeyFile writes, syncs and closes; a file that couldn't be finished is removed.
func finishKeyFile(file *os.File, data []byte) error {
	_, err := file.Write(data)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err != nil {
		os.Remove(file.Name())
	}
	return err
}

// warnIfExposed warns of a file that others can read although it holds a secret: "a private key". Windows has no such
// mode bits.
func warnIfExposed(cmd *cobra.Command, name, secret string) {
	info, err := os.Stat(name)
	if err != nil || !info.Mode().IsRegular() || runtime.GOOS == "windows" {
		return
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		warn(cmd, "%s holds %s and others can read it (mode %04o): chmod 600 %s", name, secret, mode, name)
	}
}
