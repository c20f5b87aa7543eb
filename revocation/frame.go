package revocation

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strconv"
)

// FrameType is the media type of a stream of frames: server-sent events.
const FrameType = "text/event-stream"

// MaxFrameRules is the most rules that one frame may carry; who is further behind takes a snapshot.
const MaxFrameRules = 4096

// maxFrame bounds a frame, in bytes.
const maxFrame = 16 << 20

// Frame is one server-sent event of the live stream: the rules that follow the head before, in the
// order of the log, and the signed statement of the head that they lead to. A frame without rules is
// a heartbeat.
type Frame struct {
	Sequence  uint64 // of the statement's head: the event's ID, from which a client may resume
	Rules     []Rule
	Statement string // signed
}

// AppendTo appends the frame as a server-sent event: an id line, a data line for each rule and one
// for the statement, an empty line.
func (f Frame) AppendTo(dst []byte) ([]byte, error) {
	if len(f.Rules) > MaxFrameRules {
		return dst, fmt.Errorf("feed frame: %d rules, want at most %d", len(f.Rules), MaxFrameRules)
	}
	dst = append(dst, "id: "...)
	dst = strconv.AppendUint(dst, f.Sequence, 10)
	dst = append(dst, '\n')
	for _, r := range f.Rules {
		var err error
		if dst, err = appendLine(append(dst, "data: "...), r); err != nil {
			return dst, err
		}
	}
	dst = append(dst, "data: "...)
	dst = append(dst, f.Statement...)
	return append(dst, "\n\n"...), nil
}

// FrameReader reads the frames that AppendTo wrote from a stream, and nothing else: comments, other
// fields and other line ends are errors.
type FrameReader struct{ in *bufio.Reader }

// NewFrameReader returns a reader of the stream's frames.
func NewFrameReader(r io.Reader) *FrameReader {
	return &FrameReader{bufio.NewReaderSize(r, maxLine)}
}

// Next returns the next frame, and io.EOF when the stream ends between two frames. It holds at most
// one frame in memory. Nothing about the frame has been verified.
func (r *FrameReader) Next() (Frame, error) {
	f, err := r.readID()
	if err != nil {
		return Frame{}, err
	}
	for size := 0; ; {
		line, err := readLine(r.in)
		if err != nil {
			return Frame{}, fmt.Errorf("feed frame: %w", noEOF(err))
		}
		if len(line) == 0 {
			return f, f.complete()
		}
		if size += len(line); size > maxFrame {
			return Frame{}, fmt.Errorf("feed frame: larger than %d bytes", maxFrame)
		}
		if err := f.addLine(line); err != nil {
			return Frame{}, err
		}
	}
}

func (r *FrameReader) readID() (Frame, error) {
	line, err := readLine(r.in)
	if err != nil {
		return Frame{}, err
	}
	digits, ok := bytes.CutPrefix(line, []byte("id: "))
	if !ok {
		return Frame{}, errors.New("feed frame: doesn't begin with its id")
	}
	sequence, err := ParseSequence(string(digits))
	if err != nil {
		return Frame{}, err
	}
	return Frame{Sequence: sequence}, nil
}

// addLine takes one data line in: a rule, or the statement, which is the last one.
func (f *Frame) addLine(line []byte) error {
	data, ok := bytes.CutPrefix(line, []byte("data: "))
	switch {
	case !ok || len(data) == 0:
		return errors.New("feed frame: a line is neither data nor the end")
	case f.Statement != "":
		return errors.New("feed frame: something follows the statement")
	case data[0] != '{':
		f.Statement = string(data)
		return nil
	case len(f.Rules) == MaxFrameRules:
		return fmt.Errorf("feed frame: more than %d rules", MaxFrameRules)
	}
	rule, err := parseRule(data)
	f.Rules = append(f.Rules, rule)
	return err
}

func (f *Frame) complete() error {
	if f.Statement == "" {
		return errors.New("feed frame: no statement")
	}
	return nil
}

// ParseSequence reads a sequence number: decimal digits without sign or leading zeros.
func ParseSequence(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil || strconv.FormatUint(n, 10) != text {
		return 0, errors.New("feed: not a sequence number")
	}
	return n, nil
}
