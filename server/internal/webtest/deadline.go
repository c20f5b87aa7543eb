package webtest

import (
	"net/http"
	"time"
)

// Noting is a ResponseWriter that notes the deadline for writing.
type Noting struct {
	http.ResponseWriter
	Deadline *time.Time
}

// SetWriteDeadline is what http.ResponseController calls.
func (n Noting) SetWriteDeadline(t time.Time) error {
	*n.Deadline = t
	return nil
}
