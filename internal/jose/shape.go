package jose

import (
	"bytes"
	"encoding"
	"encoding/json"
	"math/bits"
	"reflect"
	"sync"
)

// A shape is what matters about a Go type for finding names that no field has: the way to the structs in it. A shape is
// immutable once shapeOf has returned it.
type shape struct {
	kind   shapeKind
	elem   *shape                 // of a pointer, list or map
	fields map[string]*shapeField // of a struct, by their names in JSON
	plain  bool                   // whether all fields of a struct are
	table  []*shapeField          // of a struct, by the hashes of their names; at least half of it is free
}

type shapeField struct {
	name  []byte
	index []int // for reflect.Value.FieldByIndex
	shape *shape
	store storer
}

type shapeKind byte

const (
	opaqueShape shapeKind = iota // holds nothing else, or decodes itself
	pointerShape
	interfaceShape
	structShape
	mapShape
	listShape
)

var opaque = &shape{}

// field returns the field whose name is exactly the one that a validated string's text stands for, or nil.
func (s *shape) field(text []byte) *shapeField {
	for _, c := range text {
		if c == '\\' {
			return s.fields[string(appendUnescaped(nil, text))]
		}
	}
	return s.fields[string(text)]
}

// find is field for a name without escapes, whose hash the Scanner knows already.
func (s *shape) find(hash uint32, name []byte) *shapeField {
	return s.table[s.place(hash, name)]
}

// place returns where in the table the field of a name is, or would be.
func (s *shape) place(hash uint32, name []byte) uint32 {
	mask := uint32(len(s.table) - 1)
	for hash &= mask; s.table[hash] != nil && !bytes.Equal(s.table[hash].name, name); hash = (hash + 1) & mask {
	}
	return hash
}

var shapes sync.Map // of *shape, by reflect.Type

func shapeOf(t reflect.Type) *shape {
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	known, _ := shapes.LoadOrStore(t, shaper{}.shape(t))
	return known.(*shape)
}

// A shaper makes the shapes of a type and of all types in it, which may contain one another.
type shaper map[reflect.Type]*shape

func (s shaper) shape(t reflect.Type) *shape {
	if known := s[t]; known != nil {
		return known
	}
	made := new(shape)
	s[t] = made
	if decodesItself(t) {
		return made
	}
	switch t.Kind() {
	case reflect.Interface:
		made.kind = interfaceShape
	case reflect.Struct:
		made.kind = structShape
		s.addFields(made, t)
	case reflect.Pointer:
		made.kind, made.elem = pointerShape, s.shape(t.Elem())
	case reflect.Map:
		made.kind, made.elem = mapShape, s.shape(t.Elem())
	case reflect.Slice, reflect.Array:
		made.kind, made.elem = listShape, s.shape(t.Elem())
	}
	return made
}

func (s shaper) addFields(made *shape, t reflect.Type) {
	fields := jsonFields(t)
	made.fields, made.plain = make(map[string]*shapeField, len(fields)), true
	for _, f := range fields {
		made.fields[f.name] = &shapeField{[]byte(f.name), f.index, s.shape(f.typ), storerOf(f.typ)}
		made.plain = made.plain && f.plain
	}
	made.table = make([]*shapeField, 2<<bits.Len(uint(len(fields))))
	for _, f := range made.fields {
		made.table[made.place(uint32(foldHash(f.name)>>32), f.name)] = f
	}
}

var (
	unmarshaler     = reflect.TypeFor[json.Unmarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// decodesItself reports whether encoding/json leaves the decoding to the type's own method. It takes the address of a
// value to find one, if the value's type has a name.
func decodesItself(t reflect.Type) bool {
	if t.Kind() == reflect.Interface {
		return false
	}
	if t.Kind() != reflect.Pointer && t.Name() != "" {
		t = reflect.PointerTo(t)
	}
	return t.Kind() == reflect.Pointer && (t.Implements(unmarshaler) || t.Implements(textUnmarshaler))
}
