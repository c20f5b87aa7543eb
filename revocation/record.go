package revocation

// record is what a set keeps of a rule, and what a snapshot tells of it: all but the name of the subject whose jti or
// sid it is about.
type record struct {
	kind             Kind
	packed           packedKind // 0 where the kind names no subject and no session
	issuer, value    []byte
	tag              tag // of the subject, or of a session without one; 0 where the kind names neither
	minimum, expires int64
}

// of fills the record, reusing its memory.
func (r *record) of(rule Rule) {
	r.setKind(rule.Kind)
	r.minimum, r.expires, r.tag = rule.Minimum, rule.Expires, 0
	r.issuer, r.value = append(r.issuer[:0], rule.Issuer...), append(r.value[:0], rule.Value...)
	switch {
	case shapes[r.kind].subject:
		r.tag = tagOf([]byte(rule.Subject))
	case r.packed != 0:
		r.tag = tagOf(r.value)
	}
}

func (r *record) setKind(k Kind) { r.kind, r.packed = k, packedKinds[k] }
