package jose

import (
	"encoding/json"
	"reflect"
)

// Decode decodes the object that s has read into v, as Unmarshal does, without validating it again.
//
// The fields of the struct that v points to, where they are strings, integers, booleans, lists of strings or types with
// a method UnmarshalJSON, are filled without encoding/json, which would spend more time on a token than everything else
// does. What they can't hold, and whatever else v is, is left to encoding/json, from the beginning: so the rules and
// the errors are its own.
func (s *Scanner) Decode(v any) error {
	if !s.valid {
		return s.Err()
	}
	target := reflect.ValueOf(v)
	if _, c := s.token(0); c == '{' && target.Kind() == reflect.Pointer && !target.IsNil() {
		to := shapeOf(target.Type().Elem())
		if to.kind == structShape && to.plain && s.decodeMembers(to, target.Elem()) {
			return nil
		}
	}
	return decode(s.data, v)
}

// decodeMembers fills the fields of a struct, and returns false when it can't.
func (s *Scanner) decodeMembers(to *shape, target reflect.Value) bool {
	for s.current = 0; s.Next(); {
		field := to.find(s.member().hash, s.Name())
		if field == nil {
			continue
		}
		if into, value := target.FieldByIndex(field.index), s.Value(); !field.store(value, into) && !storeAny(value, into) {
			return false
		}
	}
	return true
}

// A storer puts a value into a field of the type that it's made for, as encoding/json does. It returns false when it
// leaves that to encoding/json.
type storer func(value Value, into reflect.Value) bool

func storerOf(t reflect.Type) storer {
	switch {
	case decodesItself(t):
		if reflect.PointerTo(t).Implements(unmarshaler) && t.Kind() != reflect.Pointer && !hasNewerMethod(t) {
			return storeItself
		}
		return storeNothing
	case t == reflect.TypeFor[json.Number]() || hasNewerMethod(t):
		return storeNothing
	}
	switch t.Kind() {
	case reflect.String:
		return storeString
	case reflect.Bool:
		return storeBool
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return storeInt
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return storeUint
	case reflect.Slice:
		if t == reflect.TypeFor[[]string]() {
			return storeStrings
		}
	}
	return storeNothing
}

func storeNothing(Value, reflect.Value) bool { return false }

// storeAny leaves one field to encoding/json.
func storeAny(value Value, into reflect.Value) bool {
	return decode(value.Raw(), into.Addr().Interface()) == nil
}

func storeItself(value Value, into reflect.Value) bool {
	return into.Addr().Interface().(json.Unmarshaler).UnmarshalJSON(value.Raw()) == nil
}

func storeString(value Value, into reflect.Value) bool {
	text, ok := value.Text()
	if ok {
		into.SetString(string(text))
	}
	return ok
}

func storeBool(value Value, into reflect.Value) bool {
	ok := value.Kind() == Bool
	if ok {
		into.SetBool(value.Bool())
	}
	return ok
}

func storeInt(value Value, into reflect.Value) bool {
	n, ok := value.Uint()
	if ok = ok && n < 1<<63 && !into.OverflowInt(int64(n)); ok {
		into.SetInt(int64(n))
	}
	return ok
}

func storeUint(value Value, into reflect.Value) bool {
	n, ok := value.Uint()
	if ok = ok && !into.OverflowUint(n); ok {
		into.SetUint(n)
	}
	return ok
}

func storeStrings(value Value, into reflect.Value) bool {
	if value.Kind() != Array {
		return false
	}
	var room [8]string // most lists in tokens are short
	list := room[:0]
	for elements := value.Elements(); elements.Next(); {
		text, ok := elements.Value().Text()
		if !ok {
			return false
		}
		list = append(list, string(text))
	}
	*into.Addr().Interface().(*[]string) = append(make([]string, 0, len(list)), list...)
	return true
}
