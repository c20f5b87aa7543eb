package binary

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
)

// Clients that hang up while the server writes to them, as anybody can, are no reason to end: writing to a connection
// that was reset raises SIGPIPE.
func TestClientsThatHangUpEndNothing(t *testing.T) {
	site := newInstallation(t)
	site.start(t)
	request := fmt.Sprintf("GET /.well-known/openid-configuration HTTP/1.1\r\nHost: %s\r\n\r\n", site.address)
	for range 100 {
		connection, err := net.Dial("tcp", site.address)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(connection, strings.Repeat(request, 200)); err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Read(make([]byte, 1)); err != nil { // it's at work on the rest
			t.Fatal(err)
		}
		if err := connection.Close(); err != nil { // with answers unread: a reset
			t.Fatal(err)
		}
	}
	answer, err := http.Get(site.url + "/.well-known/jwks.json")
	if err != nil {
		t.Fatal("the server has ended: ", err)
	}
	answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		t.Errorf("the server answers %s", answer.Status)
	}
}
