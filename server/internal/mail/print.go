package mail

import (
	"context"
	"fmt"
	"io"
)

// Printer writes letters where a developer reads them, rather than send them.
func Printer(w io.Writer) func(context.Context, Message) error {
	return func(_ context.Context, m Message) error {
		if err := m.check(); err != nil {
			return err
		}
		_, err := fmt.Fprintf(w, "A letter to %s: %s\n\n%s\n", m.To, m.Subject, m.Text)
		return err
	}
}
