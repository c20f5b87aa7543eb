package machine

import (
	"fmt"
	"math/rand/v2"
	"net"
	"testing"
)

// FreeAddress is one on loopback that nobody listens on now, for a program that can't tell which one it was given, or
// that comes back to it. Its port is below those that a system gives to whoever asks for any, so that no other test's
// connection takes it meanwhile.
func FreeAddress(t *testing.T) string {
	t.Helper()
	var err error
	for range 100 {
		address := fmt.Sprint("127.0.0.1:", 10000+rand.N(10000))
		var listener net.Listener
		if listener, err = net.Listen("tcp", address); err == nil {
			listener.Close()
			return address
		}
	}
	t.Fatal(err)
	return ""
}
