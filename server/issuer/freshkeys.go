package issuer

import (
	"context"
	"errors"
	"slices"

	"github.com/jot-auth/jot"
)

// freshKeys are keys that a transaction may need. Making one takes long (RSA), so none is made while others wait for
// the database: a transaction that lacks one ends, and runs again when it is there.
type freshKeys struct {
	made  map[keyLine][]Key
	taken map[keyLine]int
}

// lackingKey ends a transaction that needs one more key of a line.
type lackingKey keyLine

func (l lackingKey) Error() string {
	return "lacking a new " + string(l.purpose) + " key for " + string(l.algorithm)
}

func (f *freshKeys) take(line keyLine) (Key, error) {
	n := f.taken[line]
	if n == len(f.made[line]) {
		return Key{}, lackingKey(line)
	}
	f.taken[line]++
	return f.made[line][n], nil
}

// withFreshKeys is commit for a transaction that may need new keys.
func (i *Issuer) withFreshKeys(ctx context.Context, f func(*update, *freshKeys) error) error {
	fresh := &freshKeys{made: make(map[keyLine][]Key), taken: make(map[keyLine]int)}
	for {
		err := i.commit(ctx, func(u *update) error {
			clear(fresh.taken)
			return f(u, fresh)
		})
		var lacking lackingKey
		if !errors.As(err, &lacking) {
			return err
		}
		line := keyLine(lacking)
		key, err := i.newKey(line)
		if err != nil {
			return err
		}
		fresh.made[line] = append(fresh.made[line], key)
	}
}

// changeKeys is withFreshKeys for a change that takes effect at once.
func (i *Issuer) changeKeys(ctx context.Context, f func(*update, *freshKeys) error) error {
	if err := i.withFreshKeys(ctx, f); err != nil {
		return err
	}
	return i.adoptKeys(ctx)
}

// addKey stores a new key in its first state.
func (u *update) addKey(k Key, state KeyState) error {
	k.State, k.Created = state, u.now
	if state == KeyActive {
		k.Activated = u.now
	}
	return u.InsertKey(k)
}

// demandKeys makes the first keys of an algorithm that has none. A first key in state KeyActive signs at once; KeyNext
// is for an algorithm that verifiers may be shown who hold a key set of before: it signs when they hold it. "" demands
// nothing.
func (u *update) demandKeys(fresh *freshKeys, first KeyState, algorithm jot.Algorithm) error {
	if algorithm == "" {
		return nil
	}
	return u.demandLine(fresh, first, accessLine(algorithm))
}

func (u *update) demandLine(fresh *freshKeys, first KeyState, line keyLine) error {
	all, err := u.Keys()
	if err != nil || signingKeys(all).of(line).in(KeyNext) != nil {
		return err
	}
	if first == KeyActive {
		key, err := fresh.take(line)
		if err != nil {
			return err
		}
		if err := u.addKey(key, KeyActive); err != nil {
			return err
		}
	}
	_, err = u.addNext(fresh, line)
	return err
}

// algorithmsInUse are the default one and those that clients and resources name.
func (i *Issuer) algorithmsInUse(r ResourceReader) ([]jot.Algorithm, error) {
	inUse, err := r.Algorithms()
	if err != nil {
		return nil, err
	}
	inUse = append(inUse, i.config.Algorithm)
	for _, c := range i.config.Clients {
		inUse = append(inUse, c.Algorithm)
	}
	for _, r := range i.config.Resources {
		inUse = append(inUse, r.Algorithm)
	}
	slices.Sort(inUse)
	return slices.DeleteFunc(slices.Compact(inUse), func(a jot.Algorithm) bool { return a == "" }), nil
}
