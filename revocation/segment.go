package revocation

import (
	"bufio"
	"errors"
	"fmt"
	"io"
)

// SegmentType is the media type of a segment: a rule a line, as JSON.
const SegmentType = "application/jsonl"

const (
	// SegmentRules is how many rules a segment holds: segment n those with the sequences from n × SegmentRules + 1 to
	// (n + 1) × SegmentRules.
	SegmentRules = 4096
	// MaxSegments is how many segments a reader takes to catch up; who is further behind takes a snapshot.
	MaxSegments = 32
)

// AppendSegment appends the rules of one whole segment. They are all there is to it: whoever knows the head before the
// first of them reckons the head after the last one, and it says nothing until a signed statement names a head to which
// it leads.
func AppendSegment(dst []byte, rules []Rule) ([]byte, error) {
	if len(rules) != SegmentRules {
		return dst, fmt.Errorf("feed segment: %d rules, want %d", len(rules), SegmentRules)
	}
	for _, r := range rules {
		var err error
		if dst, err = appendLine(dst, r); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// ReadSegment reads what AppendSegment wrote, up to its end. Nothing about the rules has been verified.
func ReadSegment(r io.Reader) ([]Rule, error) {
	in := bufio.NewReaderSize(r, maxLine)
	rules := make([]Rule, 0, SegmentRules)
	for size := 0; ; {
		line, err := readLine(in)
		switch {
		case err == io.EOF && len(rules) == SegmentRules:
			return rules, nil
		case err != nil:
			return nil, fmt.Errorf("feed segment: %w", noEOF(err))
		case len(rules) == SegmentRules:
			return nil, errors.New("feed segment: too many rules")
		}
		if size += len(line); size > maxFrame {
			return nil, fmt.Errorf("feed segment: larger than %d bytes", maxFrame)
		}
		rule, err := parseRule(line)
		if err != nil {
			return nil, err
		}
		rules = append(rules, rule)
	}
}
