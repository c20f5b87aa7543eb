//go:build unix

package privatefile

import (
	"io/fs"
	"os"
	"syscall"
)

func owner(info fs.FileInfo) (ours, roots bool) {
	stat, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(stat.Uid) == os.Geteuid(), ok && stat.Uid == 0
}
