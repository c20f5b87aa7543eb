// Package interop holds what only tests need: other token libraries, real clients, and the binary as a user runs it.
// It's a module of its own so that neither published module requires any of that, and it's never published.
package interop
