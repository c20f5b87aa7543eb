package config

import (
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/BurntSushi/toml"
)

// decoder reads the values of a file, each by itself, so that one which doesn't fit hides no other.
type decoder struct {
	short string // name of the file
	found toml.MetaData
}

// aTable is what every table can be decoded into, and nothing else.
type aTable struct{}

// table reads the members that are fields of a struct, and says of each what is wrong with it.
func (d *decoder) table(members map[string]toml.Primitive, into reflect.Value) error {
	var errs []error
	for n := range into.NumField() {
		if value, ok := members[into.Type().Field(n).Tag.Get("toml")]; ok {
			errs = append(errs, d.value(value, into.Field(n)))
		}
	}
	return errors.Join(errs...)
}

func (d *decoder) value(value toml.Primitive, into reflect.Value) error {
	switch {
	case into.Kind() == reflect.Struct:
		var members map[string]toml.Primitive // into which the decoder takes anything, and leaves it empty
		if err := errors.Join(d.found.PrimitiveDecode(value, new(aTable)), d.found.PrimitiveDecode(value, &members)); err != nil {
			return explain(d.short, err)
		}
		return d.table(members, into)
	case into.Kind() == reflect.Slice && into.Type().Elem().Kind() == reflect.Struct:
		var tables []toml.Primitive
		if err := d.found.PrimitiveDecode(value, &tables); err != nil {
			return explain(d.short, err)
		}
		into.Set(reflect.MakeSlice(into.Type(), len(tables), len(tables)))
		var errs []error
		for n, table := range tables {
			errs = append(errs, d.value(table, into.Index(n)))
		}
		return errors.Join(errs...)
	}
	return explain(d.short, d.found.PrimitiveDecode(value, into.Addr().Interface()))
}

// mistyped is how the decoder words what isn't a fault of the syntax.
var mistyped = regexp.MustCompile(`^toml: line (\d+) \(last key "(.+?)"\): `)

// explain puts the place of a mistake in front, and says it in the words of whoever writes the file. Nil stays nil.
func explain(short string, err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[toml.ParseError](err); ok {
		key, message := "", wrong.Message
		if wrong.LastKey != "" {
			key = wrong.LastKey + ": "
		}
		if text, ok := strings.CutPrefix(message, "invalid duration: "); ok {
			message = text + " is no duration: write 90s, 15m or 24h"
		}
		return fmt.Errorf("%s:%d: %s%s", short, wrong.Position.Line, key, message)
	}
	text := mistyped.ReplaceAllString(err.Error(), "$1: $2: ")
	text = noTable.ReplaceAllStringFunc(text, func(match string) string {
		return "is " + typeName(noTable.FindStringSubmatch(match)[1]) + ", want a table"
	})
	text = otherType.ReplaceAllStringFunc(text, func(match string) string {
		types := otherType.FindStringSubmatch(match)
		wanted := typeName(types[2])
		if wanted == "a number" { // in Go; no setting is one
			wanted = "a duration in quotes, \"15m\""
		}
		return "is " + typeName(types[1]) + ", want " + wanted
	})
	return fmt.Errorf("%s:%s", short, text)
}

// How the decoder says that a value is of another type, in the words of Go.
var (
	otherType = regexp.MustCompile(`incompatible types: TOML value has type (\S+?); destination has type (\S+)`)
	noTable   = regexp.MustCompile(`type mismatch for \S+: expected table but found (\S+)`)
)

// typeName calls a type of the decoder as a person does who writes the file.
func typeName(name string) string {
	switch name {
	case "int64", "float64", "integer":
		return "a number"
	case "string":
		return "text in quotes"
	case "slice", "[]interface", "[]interface{}", "[]any":
		return "a list in brackets"
	case "bool", "boolean":
		return "true or false"
	case "time.Time":
		return "a date"
	case "map", "map[string]interface", "map[string]interface{}", "map[string]any", "struct":
		return "a table"
	}
	return name
}
