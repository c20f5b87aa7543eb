package jose

import "math/bits"

const (
	maxStacked = 64 // names of all open objects that a nameStack has room for
	maxLinear  = 32 // names of one object that are compared one by one
)

// A nameStack holds the hashes of names in all objects that are being read, the innermost object's last.
type nameStack struct {
	count int
	stack [maxStacked]stackedName
}

type stackedName struct {
	hash       uint32
	start, end int32 // in the text, without the quotes
}

// A scope knows the names of one object. While they are few, their hashes are on the nameStack, and are compared one by
// one if the filter has the bit of a new one. Many names, and names of one hash, are moved to a map and compared as they
// are. So no collision refuses a good object, and the time for n names grows like n whatever they are.
type scope struct {
	base, limit int       // where the object's part of the stack begins, and may end
	filter      [4]uint64 // one of 256 bits for each hash
	moved       map[string]struct{}
}

// open begins an object inside those that are open.
func (n *nameStack) open() scope {
	return scope{base: n.count, limit: min(n.count+maxLinear, maxStacked)}
}

// close ends the innermost object.
func (n *nameStack) close(innermost *scope) { n.count = innermost.base }

// push adds a name to the innermost object.
func (n *nameStack) push(hash uint64, start, end int) {
	n.stack[n.count] = stackedName{uint32(hash >> 32), int32(start), int32(end)}
	n.count++
}

// has reports whether the innermost object has a name with the hash.
func (n *nameStack) has(innermost *scope, hash uint64) bool {
	for _, name := range n.stack[innermost.base:n.count] {
		if name.hash == uint32(hash>>32) {
			return true
		}
	}
	return false
}

// scanMember reads the member at i of an object that stands at the given depth. It returns where the name ends, without
// its quote, and where the value begins and ends.
func (s *Scanner) scanMember(i, depth int, object *scope) (name, value, end int) {
	if s.peek(i) != '"' {
		return 0, 0, s.fail(i, "expected a member's name")
	}
	name = -1
	data, hash := s.data, uint64(0)
	for at := i + 1; at <= len(data)-8; at += 8 {
		word := wordAt(data, at)
		if marks := unusual(word); marks != 0 {
			if end := at + bits.TrailingZeros64(marks)/8; s.peek(end) == '"' {
				name, hash = end, mix(hash, (word|spaces)&upToFirst(marks))
			}
			break
		}
		hash = mix(hash, word|spaces)
	}
	if name < 0 {
		if name, hash = s.scanUnusualName(i); name < 0 {
			return 0, 0, -1
		}
	}
	part, bit := &object.filter[hash>>62], uint64(1)<<(hash>>56&63)
	if s.names.count < object.limit && (*part&bit == 0 || !s.names.has(object, hash)) {
		*part |= bit
		s.names.push(hash, i+1, name)
	} else if !s.addToMap(object, i+1, name) {
		return 0, 0, s.fail(i, "name appears twice in one object, or differs in letter case only")
	}
	value = name + 2
	c := s.peek(value)
	if s.peek(name+1) != ':' || c <= ' ' {
		if value = s.scanColon(name + 1); value < 0 {
			return 0, 0, -1
		}
		c = s.peek(value)
	}
	if c == '"' {
		return name, value, s.scanString(value)
	}
	return name, value, s.scanValue(value, depth)
}

// scanUnusualName reads a name that is not plain ASCII, or ends in the last seven bytes of the text.
func (s *Scanner) scanUnusualName(i int) (end int, hash uint64) {
	end = s.scanString(i) - 1
	if end < 0 {
		return -1, 0
	}
	return end, foldHash(s.data[i+1 : end])
}

// scanColon returns where the value after the colon begins.
func (s *Scanner) scanColon(i int) int {
	i, c := s.token(i)
	if c != ':' {
		return s.fail(i, "expected a colon")
	}
	i, _ = s.token(i + 1)
	return i
}

// addToMap adds a name to an object whose names are compared in a map, and returns false if the object has it already.
func (s *Scanner) addToMap(object *scope, start, end int) bool {
	if object.moved == nil {
		object.moved = make(map[string]struct{}, 2*(s.names.count-object.base))
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
