package jose

import (
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// A jsonField is a struct field that encoding/json decodes a member into.
type jsonField struct {
	name   string // in JSON
	tagged bool   // whether a tag gives the name
	plain  bool   // whether it's found without pointers, and its tag asks for nothing that changes what is decoded
	index  []int  // for reflect.Value.FieldByIndex
	typ    reflect.Type
}

// jsonFields returns the fields of a struct, and those of the structs embedded in it, under the rules of encoding/json
// for visibility: of several fields of one name the least nested counts, among these the tagged one, and none if two
// are left.
func jsonFields(t reflect.Type) []jsonField {
	best := map[string]jsonField{}
	ambiguous := map[string]bool{}
	consider := func(f jsonField) {
		rival, exists := best[f.name]
		switch {
		case !exists || len(f.index) == len(rival.index) && f.tagged && !rival.tagged:
			best[f.name], ambiguous[f.name] = f, false
		case len(f.index) == len(rival.index) && f.tagged == rival.tagged:
			ambiguous[f.name] = true
		}
	}
	seen := map[reflect.Type]bool{}
	for level := []jsonField{{typ: t, plain: true}}; len(level) > 0; {
		level = considerLevel(level, seen, consider)
	}
	var fields []jsonField
	for name, f := range best {
		if !ambiguous[name] {
			fields = append(fields, f)
		}
	}
	return fields
}

// considerLevel calls consider for the fields of structs that are all embedded at one depth, and returns the structs
// embedded in them.
func considerLevel(level []jsonField, seen map[reflect.Type]bool, consider func(jsonField)) (next []jsonField) {
	times := map[reflect.Type]int{}
	for _, embedded := range level {
		times[embedded.typ]++
	}
	for _, embedded := range level {
		if seen[embedded.typ] {
			continue
		}
		seen[embedded.typ] = true
		for i := range embedded.typ.NumField() {
			f, isEmbedded, ok := parseField(embedded.typ.Field(i))
			if !ok {
				continue
			}
			f.index = append(slices.Clone(embedded.index), i)
			f.plain = f.plain && embedded.plain
			if isEmbedded {
				next = append(next, f)
				continue
			}
			consider(f)
			if times[embedded.typ] > 1 {
				consider(f) // its copies in the other embedded structs make it ambiguous
			}
		}
	}
	return next
}

// parseField reads a field's tag. embedded means that the field is a struct whose fields count as the outer struct's;
// its typ is then that struct.
func parseField(sf reflect.StructField) (f jsonField, embedded, ok bool) {
	underlying := sf.Type
	if underlying.Kind() == reflect.Pointer && underlying.Name() == "" {
		underlying = underlying.Elem()
	}
	isStruct := underlying.Kind() == reflect.Struct
	tag := sf.Tag.Get("json")
	if tag == "-" || !sf.IsExported() && !(sf.Anonymous && isStruct) {
		return f, false, false
	}
	name, options, _ := strings.Cut(tag, ",")
	plain := strings.Trim(strings.NewReplacer("omitempty", "", "omitzero", "").Replace(options), ",") == ""
	if !isTagName(name) {
		plain = plain && name == ""
		if sf.Anonymous && isStruct {
			return jsonField{plain: plain && underlying == sf.Type, typ: underlying}, true, true
		}
		return jsonField{name: sf.Name, plain: plain, typ: sf.Type}, false, true
	}
	return jsonField{name: name, tagged: true, plain: plain, typ: sf.Type}, false, true
}

// isTagName reports whether encoding/json takes a name in a tag seriously.
func isTagName(name string) bool {
	for _, c := range name {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) {
			return false
		}
	}
	return name != ""
}
