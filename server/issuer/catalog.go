package issuer

import (
	"context"
	"slices"
	"strings"
)

// ClientFilter says which clients a list holds; the zero value is all.
type ClientFilter struct {
	Text         string // in the ID or the name, whatever its case; "": any
	Confidential *bool  // whether it proves itself; nil: both
	FirstParty   *bool  // whether it's the operator's own; nil: both
}

func (f ClientFilter) matches(c Client) bool {
	return holds(f.Text, c.ID, c.Name) && agrees(f.Confidential, c.Confidential()) && agrees(f.FirstParty, c.FirstParty)
}

// ResourceFilter says which resources a list holds; the zero value is all.
type ResourceFilter struct {
	Text string // in the audience or the name, whatever its case; "": any
}

func (f ResourceFilter) matches(r Resource) bool { return holds(f.Text, r.Audience, r.Name) }

// holds reports whether a text stands in one of the others.
func holds(text string, others ...string) bool {
	text = strings.ToLower(text)
	return slices.ContainsFunc(others, func(other string) bool { return strings.Contains(strings.ToLower(other), text) })
}

func agrees(wanted *bool, is bool) bool { return wanted == nil || *wanted == is }

// ListClients returns up to limit clients with an ID above after, in the order of their IDs: declared, built-in and
// stored ones. It fails with an *InputError for a filter that can't be.
func (i *Issuer) ListClients(ctx context.Context, f ClientFilter, after string, limit int) ([]Client, error) {
	all := catalog[Client]{
		name:   func(c Client) string { return c.ID },
		stored: func(r Reader, after string, limit int) ([]Client, error) { return r.Clients(after, limit) },
	}
	for _, c := range i.config.fixedClients() {
		all.fixed = append(all.fixed, c.clone())
	}
	if err := checkFilterText(f.Text); err != nil {
		return nil, err
	}
	return all.page(ctx, i.store, f.matches, after, limit)
}

// ListResources returns up to limit resources with an audience above after, in the order of their audiences: declared,
// built-in and stored ones. It fails with an *InputError for a filter that can't be.
func (i *Issuer) ListResources(ctx context.Context, f ResourceFilter, after string, limit int) ([]Resource, error) {
	all := catalog[Resource]{
		name:   func(r Resource) string { return r.Audience },
		stored: func(r Reader, after string, limit int) ([]Resource, error) { return r.Resources(after, limit) },
	}
	for _, r := range i.config.fixedResources() {
		all.fixed = append(all.fixed, r.clone())
	}
	if err := checkFilterText(f.Text); err != nil {
		return nil, err
	}
	return all.page(ctx, i.store, f.matches, after, limit)
}

func checkFilterText(text string) error {
	if text == "" {
		return nil
	}
	return checkName("text", text)
}

// catalog is what the configuration declares and what is stored, under names. Of two under one name the declared one
// counts.
type catalog[T any] struct {
	fixed  []T
	name   func(T) string
	stored func(r Reader, after string, limit int) ([]T, error)
}

// catalogBatch is how many stored records are looked at between two statements.
const catalogBatch = MaxPage + 1

// page returns up to limit records above after that match, in the order of their names. The filter is here and not in a
// statement: it is for declared ones, too, and two databases don't agree on letter case.
func (c catalog[T]) page(ctx context.Context, store Store, matches func(T) bool, after string, limit int) ([]T, error) {
	var page []T
	// One transaction, so that all batches are of one moment.
	err := store.View(ctx, func(r Reader) error {
		page = nil
		for from, more := after, true; more && len(page) < limit; {
			batch, err := c.stored(r, from, catalogBatch)
			if err != nil {
				return err
			}
			for _, one := range batch {
				if from = c.name(one); matches(one) && !c.declares(from) {
					page = append(page, one)
				}
			}
			more = len(batch) == catalogBatch
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for _, one := range c.fixed {
		if c.name(one) > after && matches(one) {
			page = append(page, one)
		}
	}
	slices.SortFunc(page, func(a, b T) int { return strings.Compare(c.name(a), c.name(b)) })
	return page[:min(limit, len(page))], nil
}

func (c catalog[T]) declares(name string) bool {
	return slices.ContainsFunc(c.fixed, func(one T) bool { return c.name(one) == name })
}
