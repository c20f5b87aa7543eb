package server

import (
	"encoding/hex"
	"reflect"
	"regexp"
	"strings"
	"time"
)

var wordEnd = regexp.MustCompile(`([a-z0-9])([A-Z])`)

// recordOf is a flat struct as an export has it, with every field that it will ever get: names in snake case, times in
// RFC 3339, durations in seconds, bytes in hexadecimal. What is zero is left out.
func recordOf(v any) map[string]any {
	record := make(map[string]any)
	value := reflect.ValueOf(v)
	for n := range value.NumField() {
		field := value.Field(n)
		if field.IsZero() {
			continue
		}
		name := strings.ToLower(wordEnd.ReplaceAllString(value.Type().Field(n).Name, "${1}_${2}"))
		switch content := field.Interface().(type) {
		case time.Duration:
			record[name] = content.Seconds()
		case []byte:
			record[name] = hex.EncodeToString(content)
		default:
			record[name] = content
		}
	}
	return record
}
