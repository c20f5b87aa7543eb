package loopback_test

import (
	"net"
	"testing"

	"github.com/jot-auth/jot/server/internal/loopback"
)

func TestNames(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "LocalHost": true, "127.0.0.1": true, "127.255.0.9": true, "::1": true, "::ffff:127.0.0.1": true,
		"": false, "localhost.": false, "localhoſt": false, "localhost.example.com": false, "127.0.0.1.example.com": false, "0.0.0.0": false, "::": false, "[::1]": false,
		"127.0.0.1:80": false, "127.1": false, "2130706433": false, "0x7f.1": false, "128.0.0.1": false, "::ffff:10.0.0.1": false, "10.0.0.1": false, "fe80::1%lo": false,
	} {
		if got := loopback.Names(host); got != want {
			t.Errorf("%q: %v", host, got)
		}
	}
}

func TestEnds(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	for address, want := range map[string]bool{
		listener.Addr().String(): true, "[::1]:80": true, "[::ffff:127.0.0.1]:80": true,
		"": false, "@": false, "/run/jot.sock": false, "127.0.0.1": false, "localhost:80": false, "[::]:80": false, "0.0.0.0:80": false, "10.0.0.1:80": false,
	} {
		if got := loopback.Ends(address); got != want {
			t.Errorf("%q: %v", address, got)
		}
	}
}
