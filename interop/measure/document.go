package measure

import (
	"fmt"
	"os"
	"strings"
)

// The markers stand once each in a document, around what a program writes there.
const (
	StartMarker = "<!-- bench -->"
	EndMarker   = "<!-- /bench -->"
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
	if strings.Count(document, StartMarker) != 1 || strings.Count(document, EndMarker) != 1 {
		return "", fmt.Errorf("needs %s and %s, once each", StartMarker, EndMarker)
	}
	before, rest, _ := strings.Cut(document, StartMarker)
	_, after, found := strings.Cut(rest, EndMarker)
	if !found {
		return "", fmt.Errorf("has %s before %s", EndMarker, StartMarker)
	}
	return before + StartMarker + "\n" + text + EndMarker + after, nil
}
