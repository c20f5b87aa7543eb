package jose

import "reflect"

// eachStray calls stray with each member name in validated text that no field has exactly, wherever encoding/json would
// decode an object into a struct on the way into v. Like encoding/json it looks into the pointers that v already holds.
func eachStray(valid []byte, v any, stray func(name span)) {
	value := reflect.ValueOf(v)
	if value.Kind() != reflect.Pointer || value.IsNil() {
		return // encoding/json refuses it
	}
	s := straySearch{valid, stray}
	at := skipTo(valid, 0)
	s.value(at, shapeOf(value.Type()), value)
}

type straySearch struct {
	valid []byte
	stray func(name span)
}

// value searches the value at i, to be decoded into a Go value of the given shape: target if that exists already, the
// zero reflect.Value otherwise. It returns where the value ends.
func (s *straySearch) value(i int, to *shape, target reflect.Value) int {
	to, target = settle(to, target)
	switch {
	case to.kind == structShape && s.valid[i] == '{':
		return s.structMembers(i, to, target)
	case to.kind == mapShape && s.valid[i] == '{':
		return s.mapMembers(i, to)
	case to.kind == listShape && s.valid[i] == '[':
		return s.elements(i, to, target)
	}
	return skipValue(s.valid, i)
}

func (s *straySearch) structMembers(i int, to *shape, target reflect.Value) int {
	for i = skipTo(s.valid, i+1); s.valid[i] != '}'; i = skipTo(s.valid, i) {
		end := skipString(s.valid, i)
		name := span{i + 1, end - 1}
		i = skipTo(s.valid, end)
		field := to.field(s.valid[name.start:name.end])
		if field == nil {
			s.stray(name)
		}
		if field == nil || field.shape.kind == opaqueShape {
			i = skipValue(s.valid, i)
		} else {
			i = s.value(i, field.shape, fieldOf(target, field.index))
		}
	}
	return i + 1
}

// mapMembers has no target: encoding/json decodes every value of a map into a new one.
func (s *straySearch) mapMembers(i int, to *shape) int {
	for i = skipTo(s.valid, i+1); s.valid[i] != '}'; i = skipTo(s.valid, i) {
		i = skipTo(s.valid, skipString(s.valid, i))
		i = s.value(i, to.elem, reflect.Value{})
	}
	return i + 1
}

func (s *straySearch) elements(i int, to *shape, target reflect.Value) int {
	index := 0
	for i = skipTo(s.valid, i+1); s.valid[i] != ']'; i = skipTo(s.valid, i) {
		i = s.value(i, to.elem, elementOf(target, index))
		index++
	}
	return i + 1
}

// settle follows pointers, and interfaces that hold pointers, to what encoding/json decodes into.
func settle(to *shape, target reflect.Value) (*shape, reflect.Value) {
	for range maxPointers {
		switch to.kind {
		case pointerShape:
			to = to.elem
			if target.IsValid() {
				target = target.Elem() // the zero Value if nil
			}
		case interfaceShape:
			if !target.IsValid() || target.Elem().Kind() != reflect.Pointer || target.Elem().IsNil() {
				return to, target
			}
			target = target.Elem()
			to = shapeOf(target.Type())
		default:
			return to, target
		}
	}
	return opaque, reflect.Value{}
}

// maxPointers bounds settle, which could follow a pointer to itself for ever.
const maxPointers = 1000

// fieldOf returns a struct's field, or the zero Value if there is no struct yet.
func fieldOf(target reflect.Value, index []int) reflect.Value {
	for _, i := range index {
		if target.Kind() == reflect.Pointer {
			target = target.Elem()
		}
		if !target.IsValid() {
			return target
		}
		target = target.Field(i)
	}
	return target
}

// elementOf returns an array's or slice's element, or the zero Value if there is none yet. encoding/json reuses a
// slice's elements up to its capacity.
func elementOf(target reflect.Value, i int) reflect.Value {
	if target.Kind() == reflect.Slice && i < target.Cap() {
		return target.Slice(0, target.Cap()).Index(i)
	}
	if target.Kind() == reflect.Array && i < target.Len() {
		return target.Index(i)
	}
	return reflect.Value{}
}
