package server

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/issuer"
	"github.com/jot-auth/jot/strictjson"
)

// witnessSuffix is what the witness file's name has more than the data directory's.
const witnessSuffix = ".witness"

// maxWitness bounds a witness file, in bytes.
const maxWitness = 4 << 10

// witnessFile is what stands in a witness file.
type witnessFile struct {
	LogID    string `json:"log_id"`
	Sequence uint64 `json:"sequence"`
	Hash     string `json:"hash"` // base64url
	Mark     int64  `json:"mark"`
	Time     int64  `json:"time"` // Unix milliseconds
}

// defaultWitness stands beside the data directory, outside of its backups, as the key-encryption key does.
func defaultWitness(dataDir string) string {
	if dir, err := filepath.Abs(dataDir); err == nil {
		dataDir = dir // "." has no name to add to
	}
	return filepath.Clean(dataDir) + witnessSuffix
}

// checkWitnessPath refuses a witness in the data directory: it would come back from the past together with the
// database.
func checkWitnessPath(path, dataDir string) error {
	if path == "" || dataDir == "" {
		return nil
	}
	file, err1 := filepath.Abs(path)
	dir, err2 := filepath.Abs(dataDir)
	if err := errors.Join(err1, err2); err != nil {
		return err
	}
	if inside, err := filepath.Rel(dir, file); err == nil && filepath.IsLocal(inside) {
		return fmt.Errorf("WitnessFile %s is inside the data directory, with which it would be restored: name a file outside of %s", path, dataDir)
	}
	return nil
}

// readWitness reads a witness file; an error that wraps fs.ErrNotExist means that there is none.
func readWitness(path string) (issuer.Witness, error) {
	file, err := os.Open(path)
	if err != nil {
		return issuer.Witness{}, err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxWitness))
	if err != nil {
		return issuer.Witness{}, err
	}
	var f witnessFile
	if err := strictjson.Unmarshal(text, &f); err != nil {
		return issuer.Witness{}, fmt.Errorf("the witness %s is damaged: %w", path, err)
	}
	hash, err := base64.RawURLEncoding.Strict().DecodeString(f.Hash)
	if err != nil || len(hash) != len(revocation.Head{}.Hash) || f.LogID == "" {
		return issuer.Witness{}, fmt.Errorf("the witness %s is damaged", path)
	}
	head := revocation.Head{LogID: f.LogID, Sequence: f.Sequence, Hash: [32]byte(hash)}
	return issuer.Witness{Head: head, Mark: f.Mark, Time: time.UnixMilli(f.Time).UTC()}, nil
}

// writeWitness puts a whole file in the place of the one before, or leaves that.
func writeWitness(path string, w issuer.Witness) error {
	text, err := json.Marshal(witnessFile{
		LogID: w.Head.LogID, Sequence: w.Head.Sequence, Hash: base64.RawURLEncoding.EncodeToString(w.Head.Hash[:]),
		Mark: w.Mark, Time: w.Time.UnixMilli(),
	})
	if err != nil {
		return err
	}
	file, err := os.CreateTemp(filepath.Dir(path), ".witness-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(file.Name())
	_, err = file.Write(append(text, '\n'))
	if err == nil {
		err = file.Sync()
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return err
	}
	if err := os.Rename(file.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// missing reports whether there is no such file.
func missing(path string) bool {
	_, err := os.Lstat(path)
	return errors.Is(err, fs.ErrNotExist)
}
