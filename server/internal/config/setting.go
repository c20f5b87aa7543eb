package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// Setting is one key of the configuration, as the tags of Config describe it.
type Setting struct {
	Path    string // dotted, as in the file: tls.cert
	Flag    string // without its dashes; "" where there is none
	Value   string // what the flag's value is called
	Doc     string // one or more sentences
	Example string
	Type    reflect.Type
	Fields  []Setting // of the tables of a list

	from  string
	index []int
}

// Variable is the environment variable of a setting: JOT_ and its path in capitals, with an underscore for each dot.
func (s Setting) Variable() string {
	if s.from == "file" {
		return ""
	}
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(s.Path, ".", "_"))
}

// Secret reports whether the setting is one that stands in no file but one of its own.
func (s Setting) Secret() bool { return s.from == "env" }

// Repeated reports whether a flag or variable adds to a list.
func (s Setting) Repeated() bool { return s.Type.Kind() == reflect.Slice }

// Default is the setting's default as text; "" for nothing.
func (s Setting) Default() string {
	defaults := Default()
	if value := s.in(&defaults); s.Fields == nil && !value.IsZero() {
		return strings.Trim(literal(value), `"`)
	}
	return ""
}

// Settings are all settings in the order of the sample file: first those outside of tables, then table by table, then
// the lists of tables.
func Settings() []Setting { return settingsOf(reflect.TypeFor[Config](), "", nil) }

func settingsOf(t reflect.Type, prefix string, index []int) []Setting {
	var all []Setting
	for n := range t.NumField() {
		field := t.Field(n)
		at := append(append([]int{}, index...), n)
		path := prefix + field.Tag.Get("toml")
		if field.Type.Kind() == reflect.Struct {
			all = append(all, settingsOf(field.Type, path+".", at)...)
			continue
		}
		s := Setting{
			Path: path, Flag: field.Tag.Get("flag"), Value: field.Tag.Get("value"), Doc: field.Tag.Get("doc"),
			Example: field.Tag.Get("example"), Type: field.Type, from: field.Tag.Get("from"), index: at,
		}
		if field.Type.Kind() == reflect.Slice && field.Type.Elem().Kind() == reflect.Struct {
			s.Fields = settingsOf(field.Type.Elem(), path+".", nil)
		}
		all = append(all, s)
	}
	return all
}

func (s Setting) in(c *Config) reflect.Value { return reflect.ValueOf(c).Elem().FieldByIndex(s.index) }

// set reads a text, as a variable or a flag has it, into the configuration. Lists are separated by commas, resources by
// spaces.
func (s Setting) set(c *Config, text string) error {
	value, err := parse(s.Type, text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	s.in(c).Set(reflect.ValueOf(value))
	return nil
}

// add is set, and keeps what a list has already.
func (s Setting) add(c *Config, text string) error {
	value, err := parse(s.Type, text)
	if err != nil {
		return fmt.Errorf("%s: %w", s.Path, err)
	}
	field := s.in(c)
	field.Set(reflect.AppendSlice(field, reflect.ValueOf(value)))
	return nil
}

func parse(t reflect.Type, text string) (any, error) {
	switch t {
	case reflect.TypeFor[string]():
		return text, nil
	case reflect.TypeFor[bool]():
		value, err := strconv.ParseBool(text)
		if err != nil {
			return nil, fmt.Errorf("%.20q is neither true nor false", text)
		}
		return value, nil
	case reflect.TypeFor[time.Duration]():
		value, err := time.ParseDuration(text)
		if err != nil {
			return nil, fmt.Errorf("%.20q is no duration: write 90s, 15m or 24h", text)
		}
		return value, nil
	case reflect.TypeFor[[]string]():
		var list []string
		for word := range strings.SplitSeq(text, ",") {
			if word = strings.TrimSpace(word); word != "" {
				list = append(list, word)
			}
		}
		return list, nil
	case reflect.TypeFor[[]Resource]():
		return parseResources(text)
	}
	return nil, fmt.Errorf("can only be set in the file")
}

// parseResources reads AUDIENCE=SCOPE,... once or more, with spaces in between.
func parseResources(text string) ([]Resource, error) {
	var resources []Resource
	for _, word := range strings.Fields(text) {
		audience, list, _ := strings.Cut(word, "=")
		scopes, err := parse(reflect.TypeFor[[]string](), list)
		if err != nil || audience == "" || len(scopes.([]string)) == 0 {
			return nil, fmt.Errorf("%.64q isn't a resource: write it as petstore=pets:read,pets:write", word)
		}
		resources = append(resources, Resource{Audience: audience, Scopes: scopes.([]string)})
	}
	return resources, nil
}
