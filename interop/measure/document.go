package measure

import (
	"fmt"
	"os"
	"strings"
)

// The markers stand once each in a document, around what a program writes there.
const (
	startMarker = "<!-- bench -->"
	endMarker   = "<!-- /bench -->"
)

// WriteBetween replaces what stands between the markers of a file.
func WriteBetween(name, text string) error {
	document, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	replaced, err := replaceBetween(string(document), text)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	return os.WriteFile(name, []byte(replaced), 0o644)
}

// replaceBetween wants exactly one pair of markers.
func replaceBetween(document, text string) (string, error) {
	if strings.Count(document, startMarker) != 1 || strings.Count(document, endMarker) != 1 {
		return "", fmt.Errorf("needs %s and %s, once each", startMarker, endMarker)
	}
	before, rest, _ := strings.Cut(document, startMarker)
	_, after, found := strings.Cut(rest, endMarker)
	if !found {
		return "", fmt.Errorf("has %s before %s", endMarker, startMarker)
	}
	return before + startMarker + "\n" + text + endMarker + after, nil
}
