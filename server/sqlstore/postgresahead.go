package sqlstore

import (
	"bytes"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgtype"
)

// keptRows are the rows of a query that nobody has asked for yet.
type keptRows struct {
	query  string
	args   []any
	types  *pgtype.Map
	fields []pgconn.FieldDescription
	values [][][]byte // of each row
	at     int        // the row that is scanned, from 1
}

func (s *postgresSession) fetch() error {
	if !slices.ContainsFunc(s.waiting, func(w waiting) bool { return w.ahead }) {
		return nil
	}
	if err := s.goesOn(); err != nil {
		return err
	}
	var all pgx.Batch
	for _, w := range s.waiting {
		all.Queue(w.query, w.args...)
	}
	if s.brief {
		all.Queue(commitStatement)
	}
	sent := s.waiting
	s.begun, s.waiting = true, nil
	results := s.connection.SendBatch(context.Background(), &all) // as in send
	err := s.receiveAll(results, sent)
	if closed := results.Close(); err == nil {
		err = closed
	}
	return err
}

func (s *postgresSession) receiveAll(results pgx.BatchResults, sent []waiting) error {
	for _, w := range sent {
		if err := s.receive(results, w); err != nil {
			return err
		}
	}
	if s.brief {
		return s.receiveEnd(results)
	}
	return nil
}

func (s *postgresSession) receiveEnd(results pgx.BatchResults) error {
	tag, err := results.Exec()
	if err != nil {
		return err
	}
	s.over = true
	return s.committed(tag)
}

// receive waits for a statement that was sent, and keeps its rows where they are to be.
func (s *postgresSession) receive(results pgx.BatchResults, w waiting) error {
	if !w.ahead {
		_, err := results.Exec()
		return err
	}
	found, err := results.Query()
	if err != nil {
		return err
	}
	defer found.Close()
	kept := &keptRows{query: w.query, args: w.args, types: s.connection.TypeMap(), fields: slices.Clone(found.FieldDescriptions())}
	for found.Next() {
		row := slices.Clone(found.RawValues())
		for n := range row {
			row[n] = bytes.Clone(row[n]) // which is nil of nil
		}
		kept.values = append(kept.values, row)
	}
	s.kept = append(s.kept, kept)
	return found.Err()
}

func (s *postgresSession) forget() { s.kept = nil }

// takeKept returns the rows of a query that was sent ahead, once, and nil where it wasn't.
func (s *postgresSession) takeKept(query string, args []any) rows {
	place := slices.IndexFunc(s.kept, func(k *keptRows) bool { return k.query == query && slices.Equal(k.args, args) })
	if place < 0 {
		return nil
	}
	kept := s.kept[place]
	s.kept = slices.Delete(s.kept, place, place+1)
	return kept
}

func (k *keptRows) Next() bool {
	k.at++
	return k.at <= len(k.values)
}

func (k *keptRows) Scan(fields ...any) error {
	return pgx.ScanRow(k.types, k.fields, k.values[k.at-1], fields...)
}

func (k *keptRows) Err() error { return nil }

func (k *keptRows) Close() error { return nil }

func (k *keptRows) Columns() ([]string, error) { return columnNames(k.fields), nil }
