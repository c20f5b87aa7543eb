package jothttp

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/internal/privatefile"
	"github.com/jot-auth/jot/strictjson"
)

// FileStore is a [TokenStore] in a file of mode 0600, which several processes may share: a lock on a second file, named
// as the first and ".lock", lets one update it at a time, and ends with its process. The value is the file's path; its
// directory is made, with mode 0700, when there is none. A file that others can read or that isn't a regular one is
// refused.
type FileStore string

// maxTokenFile bounds the file, in bytes: whatever came in an answer fits, also with every byte of it escaped.
const maxTokenFile = 8 * maxTokenAnswer

// lockRetry is how long a process waits before it tries a lock again.
const lockRetry = 20 * time.Millisecond

// Load implements [TokenStore]. Without a file nobody is logged in.
func (s FileStore) Load(context.Context) (TokenPair, error) {
	text, err := privatefile.Read(string(s), maxTokenFile)
	if errors.Is(err, fs.ErrNotExist) {
		return TokenPair{}, nil
	}
	if err != nil {
		return TokenPair{}, fmt.Errorf("jothttp: tokens: %w", err)
	}
	var pair TokenPair
	if err := strictjson.Unmarshal(text, &pair); err != nil {
		return TokenPair{}, fmt.Errorf("jothttp: the file %s holds no tokens: delete it, and log in again", s)
	}
	return pair, nil
}

// Update implements [TokenStore]. It waits for the lock until the context ends.
func (s FileStore) Update(ctx context.Context, change func(TokenPair) (TokenPair, error)) error {
	if err := os.MkdirAll(filepath.Dir(string(s)), 0o700); err != nil {
		return err
	}
	lock, err := os.OpenFile(string(s)+".lock", os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer lock.Close() // which ends the lock
	if err := waitForLock(ctx, lock); err != nil {
		return err
	}
	before, err := s.Load(ctx)
	if err != nil {
		return err
	}
	after, err := change(before)
	if err != nil || after == before {
		return err
	}
	return s.write(after)
}

func waitForLock(ctx context.Context, lock *os.File) error {
	for {
		taken, err := tryLock(lock)
		if err != nil {
			return fmt.Errorf("jothttp: locking %s: %w", lock.Name(), err)
		}
		if taken {
			return nil
		}
		select {
		case <-time.After(lockRetry):
		case <-ctx.Done():
			return fmt.Errorf("jothttp: another process holds the lock %s: %w", lock.Name(), ctx.Err())
		}
	}
}

func (s FileStore) write(pair TokenPair) error {
	text, err := json.Marshal(pair)
	if err != nil {
		return err
	}
	if len(text) >= maxTokenFile {
		return fmt.Errorf("jothttp: these tokens are too long to be kept: they need more than %d bytes", maxTokenFile)
	}
	return privatefile.Write(string(s), append(text, '\n'))
}
