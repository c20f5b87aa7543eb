// Package privatefile checks that a file with a secret is for us alone.
package privatefile

import (
	"fmt"
	"os"
)

// Check looks at an open file, so that nobody can exchange it in between. The file must be a regular one that is ours,
// or that of root, who can read everything anyway. Only we may read it; or, where root made it, one group that root
// chose: service managers and Kubernetes hand out secrets like that.
func Check(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	ours, roots := owner(info)
	mode := info.Mode().Perm()
	switch {
	case !info.Mode().IsRegular():
		return fmt.Errorf("%s is not a regular file: name the file itself", file.Name())
	case !ours && !roots:
		return fmt.Errorf("%s belongs to another user, who knows it: replace it by one of your own", file.Name())
	case mode&0o077 != 0 && !(roots && mode&0o037 == 0):
		return fmt.Errorf("%s can be read by others (mode %04o): chmod 600 it, and replace it if somebody may have read it", file.Name(), mode)
	}
	return nil
}
