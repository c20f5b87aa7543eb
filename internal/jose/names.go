package jose

import (
	"math/bits"
)

const (
	maxStacked = 64 // names of all open objects that a nameStack remembers in place
	maxLinear  = 32 // names of one object that are compared one by one
)

// A nameStack remembers the names of every object that is being read, the innermost object's last.
type nameStack struct {
	count int
	stack [maxStacked]stackedName
}

type stackedName struct {
	hash       uint32
	start, end int32 // in the text, without the quotes
}

// A scope holds the names of one object. Few names stay on the nameStack and are compared one by one, and only if the
// filter says that one might be equal; many names move to a map, so that the time for n members grows like n.
type scope struct {
	base, limit int       // where the stack held by this object begins, and may end
	filter      [4]uint64 // one of 256 bits for each name's hash
	moved       map[string]struct{}
}

// open begins an object inside those that are open.
func (n *nameStack) open() scope {
	return scope{base: n.count, limit: min(n.count+maxLinear, maxStacked)}
}

// close forgets the names of the innermost object.
func (n *nameStack) close(of *scope) { n.count = of.base }

// push adds a name to the innermost object's.
func (n *nameStack) push(hash uint64, start, end int) {
	n.stack[n.count] = stackedName{uint32(hash >> 32), int32(start), int32(end)}
	n.count++
}

// scanMember reads the member at i of an object, which stands at the given depth. It returns where the name ends,
// without its quote, and where the value begins and ends.
func (s *Scanner) scanMember(i, depth int, object *scope) (name, value, end int) {
	if s.peek(i) != '"' {
		return 0, 0, s.fail(i, "expected a member's name")
	}
	name = -1
	data, hash := s.data, uint64(0)
	for at := i + 1; at <= len(data)-8; at += 8 {
		word := wordAt(data, at)
		if marks := unusual(word); marks != 0 {
			length := bits.TrailingZeros64(marks) &^ 7 // in bits, before the first mark
			if byte(word>>length) == '"' {
				name, hash = at+length/8, mix(hash, (word|spaces)&(1<<length-1))
			}
			break
		}
		hash = mix(hash, word|spaces)
	}
	if name < 0 {
		name, hash = s.scanUnusualName(i + 1)
		if name < 0 {
			return 0, 0, -1
		}
	}
	part, bit := &object.filter[hash>>62], uint64(1)<<(hash>>56&63)
	if *part&bit != 0 && s.isStacked(object, hash, i+1, name) {
		return 0, 0, s.fail(i+1, "name appears twice in one object, or differs in letter case only")
	}
	*part |= bit
	if s.names.count < object.limit {
		s.names.push(hash, i+1, name)
	} else if !s.addToMap(object, i+1, name) {
		return 0, 0, s.fail(i+1, "name appears twice in one object, or differs in letter case only")
	}
	value = name + 2
	if s.peek(name+1) != ':' || s.peek(value) <= ' ' {
		if value = s.scanColon(name + 1); value < 0 {
			return 0, 0, -1
		}
	}
	if s.peek(value) == '"' {
		return name, value, s.scanString(value)
	}
	return name, value, s.scanValue(value, depth)
}

func (s *Scanner) scanUnusualName(start int) (end int, hash uint64) {
	end = s.scanString(start-1) - 1
	if end < 0 {
		return -1, 0
	}
	return end, foldHash(s.data[start:end])
}

func (s *Scanner) scanColon(i int) int {
	i, c := s.token(i)
	if c != ':' {
		return s.fail(i, "expected a colon")
	}
	i, _ = s.token(i + 1)
	return i
}

// isStacked reports whether the name is fold-equal to one of the object's on the stack.
func (s *Scanner) isStacked(object *scope, hash uint64, start, end int) bool {
	for _, other := range s.names.stack[object.base:s.names.count] {
		if other.hash == uint32(hash>>32) && foldEqual(s.data[start:end], s.data[other.start:other.end]) {
			return true
		}
	}
	return false
}

// addToMap is addName for an object that has more names than may be stacked.
func (s *Scanner) addToMap(object *scope, start, end int) bool {
	if object.moved == nil {
		object.moved = make(map[string]struct{}, 2*maxLinear)
		for _, name := range s.names.stack[object.base:s.names.count] {
			object.moved[folded(s.data[name.start:name.end])] = struct{}{}
		}
		s.names.count, object.limit = object.base, object.base
	}
	name := folded(s.data[start:end])
	if _, found := object.moved[name]; found {
		return false
	}
	object.moved[name] = struct{}{}
	return true
}
