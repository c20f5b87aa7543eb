package jose

// The functions in this file move about in text that Scanner has validated, and so check nothing.

// skipTo returns where the next value, name or closing bracket at or after i begins.
func skipTo(valid []byte, i int) int {
	for i < len(valid) && (isSpace(valid[i]) || valid[i] == ',' || valid[i] == ':') {
		i++
	}
	return i
}

// skipValue returns where the value at i ends.
func skipValue(valid []byte, i int) int {
	switch valid[i] {
	case '"':
		return skipString(valid, i)
	case '{', '[':
		return skipNested(valid, i)
	}
	for i < len(valid) && !endsScalar(valid[i]) {
		i++
	}
	return i
}

func endsScalar(c byte) bool { return c == ',' || c == ']' || c == '}' || isSpace(c) }

// skipString returns where the string at i ends, its closing quote included.
func skipString(valid []byte, i int) int {
	for i = plainEnd(valid, i+1); ; i++ {
		switch valid[i] {
		case '"':
			return i + 1
		case '\\':
			i++
		}
	}
}

// skipNested returns where the array or object at i ends.
func skipNested(valid []byte, i int) int {
	for depth := 0; ; {
		switch valid[i] {
		case '"':
			i = skipString(valid, i)
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		if i++; depth == 0 {
			return i
		}
	}
}
