package sqlstore

import (
	"context"
	"fmt"
)

// LimitPages lets a SQLite database grow to so many pages, as a full disk does.
func (s *Store) LimitPages(ctx context.Context, pages int) error {
	_, err := s.writer.ExecContext(ctx, fmt.Sprintf("PRAGMA max_page_count = %d", pages))
	return err
}

// Tables are those that Copy copies.
var Tables = tables
