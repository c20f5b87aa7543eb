package main

import (
	"context"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"database/sql"
	"errors"
)

// iterations of PBKDF2 with SHA-256, as OWASP asks for.
const iterations = 600_000

// user is a row of the table that the API had before.
type user struct {
	id   int64
	role string
	salt []byte
	hash []byte
}

var errRefused = errors.New("wrong name or password")

func openUsers(ctx context.Context, path string) (*sql.DB, error) {
	db, err := sql.Open("sqlite", path)
	if err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS users (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
		role TEXT NOT NULL, salt BLOB NOT NULL, hash BLOB NOT NULL)`)
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	return db, nil
}

func (a *app) addUser(name, password, role string) error {
	salt := make([]byte, 16)
	rand.Read(salt)
	hash, err := pbkdf2.Key(sha256.New, password, salt, iterations, sha256.Size)
	if err != nil {
		return err
	}
	_, err = a.users.Exec(`INSERT INTO users (name, role, salt, hash) VALUES (?, ?, ?, ?)`, name, role, salt, hash)
	return err
}

// authenticate finds the user of a name and a password. An unknown name takes as long as a wrong password.
func (a *app) authenticate(ctx context.Context, name, password string) (user, error) {
	u := user{salt: make([]byte, 16), hash: make([]byte, sha256.Size)}
	err := a.users.QueryRowContext(ctx, `SELECT id, role, salt, hash FROM users WHERE name = ?`, name).Scan(&u.id, &u.role, &u.salt, &u.hash)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return user{}, err
	}
	hash, failed := pbkdf2.Key(sha256.New, password, u.salt, iterations, sha256.Size)
	if failed != nil || err != nil || subtle.ConstantTimeCompare(hash, u.hash) != 1 {
		return user{}, errRefused
	}
	return u, nil
}
