package config

import (
	"fmt"
	"strings"
)

// Markdown describes every setting, for docs/configuration.md.
func Markdown() string {
	var text strings.Builder
	text.WriteString("| key | default | environment, flag | meaning |\n|---|---|---|---|\n")
	for _, s := range Settings() {
		value := s.Default()
		if value != "" {
			value = "`" + value + "`"
		}
		fmt.Fprintf(&text, "| `%s` | %s | %s | %s |\n", s.Path, value, doors(s), s.Doc)
		for _, field := range s.Fields {
			fmt.Fprintf(&text, "| `%s` | | only in the file | %s |\n", field.Path, field.Doc)
		}
	}
	return text.String()
}
