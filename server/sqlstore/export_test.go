package sqlstore

import (
	"context"
	"fmt"
)

// LimitPages lets a SQLite database grow to so many pages, as a full disk does.
func (s *Store) LimitPages(ctx context.Context, pages int) error {
	return s.transact(ctx, s.writer, func(t *tx) error {
		return t.row(fmt.Sprintf("PRAGMA max_page_count = %d", pages)).Scan(new(int))
	})
}

// Tables are those that Copy copies.
var Tables = tables
