package config

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strconv"
	"strings"
	"time"
)

const lineWidth = 100

// WriteSample writes a configuration file with every setting, commented out, under what it means.
func WriteSample(w io.Writer) error {
	var text strings.Builder
	text.WriteString("# The configuration of jot serve. What is commented out has the default that it shows, unless it says \"for example\".\n")
	defaults := Default()
	table := ""
	for _, s := range Settings() {
		if s.Fields != nil {
			writeSampleList(&text, s)
			continue
		}
		key := enterTable(&text, &table, s.Path)
		text.WriteString("\n" + wrap(s.Doc, "# "))
		if s.Secret() {
			fmt.Fprintf(&text, "# Set it with $%s.\n", s.Variable())
			continue
		}
		value := s.in(&defaults)
		if value.IsZero() && s.Example != "" {
			example, err := parse(s.Type, s.Example)
			if err != nil {
				return err
			}
			fmt.Fprintf(&text, "# For example:\n#%s = %s\n", key, literal(reflect.ValueOf(example)))
			continue
		}
		fmt.Fprintf(&text, "#%s = %s\n", key, literal(value))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

// enterTable writes the header of a table where one begins, and returns the key within it.
func enterTable(text *strings.Builder, table *string, path string) string {
	name, key, nested := strings.Cut(path, ".")
	if !nested {
		return path
	}
	if name != *table {
		fmt.Fprintf(text, "\n[%s]\n", name)
		*table = name
	}
	return key
}

func writeSampleList(text *strings.Builder, s Setting) {
	text.WriteString("\n" + wrap(s.Doc, "# ") + fmt.Sprintf("# For example:\n#[[%s]]\n", s.Path))
	for _, field := range s.Fields {
		value := reflect.Zero(field.Type)
		if example, err := parse(field.Type, field.Example); err == nil && field.Example != "" {
			value = reflect.ValueOf(example)
		}
		_, key, _ := strings.Cut(field.Path, ".")
		fmt.Fprintf(text, "#%s = %s   # %s\n", key, literal(value), field.Doc)
	}
}

// Write writes the configuration as it is in effect, as a file that could be read, and where each setting comes from.
// Secrets are left out.
func (l *Loaded) Write(w io.Writer) error {
	var text strings.Builder
	table := ""
	for _, s := range Settings() {
		if s.Fields != nil {
			l.writeList(&text, s)
			continue
		}
		key := enterTable(&text, &table, s.Path)
		line := fmt.Sprintf("%s = %s", key, literal(reflect.ValueOf(shown(s, s.in(&l.Config)))))
		if s.Secret() {
			line = "# " + key + " is not shown"
			if s.in(&l.Config).IsZero() {
				line = "# " + key + " is not set"
			}
		}
		fmt.Fprintf(&text, "%-50s # %s\n", line, l.origin(s))
	}
	_, err := io.WriteString(w, text.String())
	return err
}

func (l *Loaded) origin(s Setting) string { return cmp.Or(l.Origins[s.Path], "default") }

func (l *Loaded) writeList(text *strings.Builder, s Setting) {
	list := s.in(&l.Config)
	if list.Len() == 0 {
		fmt.Fprintf(text, "\n# no [[%s]]\n", s.Path)
	}
	for n := range list.Len() {
		fmt.Fprintf(text, "\n%-50s # %s\n", "[["+s.Path+"]]", l.origin(s))
		for _, field := range s.Fields {
			_, key, _ := strings.Cut(field.Path, ".")
			fmt.Fprintf(text, "%s = %s\n", key, literal(list.Index(n).FieldByIndex(field.index)))
		}
	}
}

// shown is a value without the password in it.
func shown(s Setting, value reflect.Value) any {
	if s.Path != "database" || value.String() == "" {
		return value.Interface()
	}
	u, err := url.Parse(value.String())
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") || u.Host == "" {
		return "(not a postgres:// URL)" // of which nobody can tell where the password is
	}
	query := u.Query()
	for name := range query {
		if strings.Contains(name, "password") {
			query.Set(name, "xxxxx")
		}
	}
	u.RawQuery = query.Encode()
	return u.Redacted()
}

// literal writes a value as TOML does.
func literal(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case string:
		return quote(v)
	case bool:
		return strconv.FormatBool(v)
	case time.Duration:
		return quote(shortDuration(v))
	case []string:
		words := make([]string, 0, len(v))
		for _, word := range v {
			words = append(words, quote(word))
		}
		return "[" + strings.Join(words, ", ") + "]"
	}
	panic("config: a setting of an unknown type " + value.Type().String())
}

// quote writes a basic string (TOML 1.0).
func quote(text string) string {
	var out strings.Builder
	out.WriteByte('"')
	for _, r := range text {
		switch {
		case r == '"' || r == '\\':
			out.WriteString(`\` + string(r))
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&out, `\u%04X`, r)
		default:
			out.WriteRune(r)
		}
	}
	return out.String() + `"`
}

// shortDuration leaves out the zeros of 15m0s.
func shortDuration(d time.Duration) string {
	text := d.String()
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}

// wrap breaks a text into lines with a prefix.
func wrap(text, prefix string) string {
	var out strings.Builder
	line := prefix
	for word := range strings.FieldsSeq(text) {
		if len(line)+len(word) > lineWidth && line != prefix {
			out.WriteString(strings.TrimRight(line, " ") + "\n")
			line = prefix
		}
		line += word + " "
	}
	return out.String() + strings.TrimRight(line, " ") + "\n"
}

func doors(s Setting) string {
	var doors []string
	if s.Variable() != "" {
		doors = append(doors, "`"+s.Variable()+"`")
	}
	if s.Flag != "" {
		doors = append(doors, "`--"+s.Flag+"`")
	}
	if len(doors) == 0 {
		return "only in the file"
	}
	return strings.Join(doors, ", ")
}

// Manual describes every setting, for the help and the manual page of jot config.
func Manual() string {
	var text strings.Builder
	for _, s := range Settings() {
		fmt.Fprintf(&text, "  %s", s.Path)
		if doors := strings.ReplaceAll(doors(s), "`", ""); doors != "" {
			fmt.Fprintf(&text, "  (%s)", doors)
		}
		text.WriteString("\n")
		for line := range strings.Lines(wrap(s.Doc, "      ")) {
			text.WriteString(line)
		}
	}
	return text.String()
}
