package jose

// maxLinear is how many names of one object are compared one by one.
const maxLinear = 32

// A scope knows the names of one object. While they are few, only a name whose bit the filter has is compared, by its
// hash, and one by one. Many names, and names of one hash, are put into a map and compared as they are. So no collision
// refuses a good object, and the time for n names grows like n whatever they are.
type scope struct {
	first  int    // the index of the object's first member
	filter uint64 // a bit for each name
	room   int    // up to which index a name is new, and has its place, if the filter lacks its bit
	folded map[string]struct{}
}

// open returns the scope of an object that has no member yet.
func (s *Scanner) open() scope {
	return scope{first: s.count, room: min(s.count+maxLinear, len(s.members))}
}

// admit makes room for a member whose name may be another's, or which is one of many. It returns why the object can't
// have it.
func (s *Scanner) admit(object *scope, hash uint64, start, end int) (refusal string) {
	if s.few && s.count-object.first >= maxLinear {
		return "object has too many members"
	}
	if !s.isNew(object, hash, start, end) {
		return "name appears twice in one object, or differs in letter case only"
	}
	if s.count == len(s.members) {
		s.members = append(s.members, make([]Member, maxLinear)...)
	}
	object.room = 0
	if object.folded == nil {
		object.room = min(object.first+maxLinear, len(s.members))
	}
	return ""
}

// isNew reports whether the innermost object has no name yet that is fold-equal to the one between start and end.
func (s *Scanner) isNew(object *scope, hash uint64, start, end int) bool {
	bit := uint64(1) << (hash >> 58)
	few := object.folded == nil && s.count-object.first < maxLinear
	if few && (object.filter&bit == 0 || !s.has(object, uint32(hash>>32))) {
		object.filter |= bit
		return true
	}
	if object.folded == nil {
		object.folded = make(map[string]struct{}, s.count-object.first+1) // small for small objects: there may be many
		for _, m := range s.members[object.first:s.count] {
			object.folded[folded(s.data[m.nameStart:m.nameEnd])] = struct{}{}
		}
	}
	before := len(object.folded)
	object.folded[folded(s.data[start:end])] = struct{}{}
	return len(object.folded) > before
}

// has reports whether the innermost object has a name with the hash.
func (s *Scanner) has(object *scope, hash uint32) bool {
	for i := range s.members[object.first:s.count] {
		if s.members[object.first+i].hash == hash {
			return true
		}
	}
	return false
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
