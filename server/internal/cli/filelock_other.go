//go:build !unix

package cli

import "context"

// lockFile does nothing: two refreshes at once get the same tokens within the server's grace window.
func lockFile(context.Context, string) (unlock func(), err error) { return func() {}, nil }
