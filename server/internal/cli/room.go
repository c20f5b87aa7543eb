package cli

import (
	"os"
	"runtime"
)

// room is how many bytes of garbage the server may make beyond what Go's collector allows. It's never written to, and
// so takes no memory itself.
const room = 24 << 20

// makeRoom lets the collector run less often. It runs when the heap has doubled, and ours is so small that under load
// it would many times a second, for an eighth of the processor's time. The same number of bytes is added whatever the
// heap's size, unlike with a larger GOGC, which a server with many verifiers or rules would pay for several times.
// Operators who tune the collector themselves are left alone. The function that it returns gives the room back.
func makeRoom() (end func()) {
	if os.Getenv("GOGC") != "" || os.Getenv("GOMEMLIMIT") != "" {
		return func() {}
	}
	ballast := make([]byte, room)
	return func() { runtime.KeepAlive(ballast) }
}
