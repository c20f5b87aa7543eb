// Package loopback tells this machine from all others: what travels no further needs no encryption.
package loopback

import (
	"net/netip"
	"strings"
)

// Names reports whether a host, without port and brackets, is this machine: localhost (RFC 6761 §6.3) or a loopback
// address.
func Names(host string) bool {
	address, err := netip.ParseAddr(host)
	named := len(host) == len("localhost") && strings.EqualFold(host, "localhost") // a long s (U+017F) is two bytes, and another name
	return named || err == nil && address.IsLoopback()
}

// Ends reports whether an end of a connection, address and port as net.Addr writes them, is one that only this machine
// reaches.
func Ends(address string) bool {
	end, err := netip.ParseAddrPort(address)
	return err == nil && end.Addr().IsLoopback()
}
