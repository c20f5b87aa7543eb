package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"golang.org/x/crypto/argon2"

	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/interop/programs"
)

// The lines against which the others are read.
const (
	emptyLine     = "empty net/http handler"
	signatureLine = "ES256 signature alone"
	hashLine      = "Argon2id hash alone"
	syncLine      = "one fdatasync"
)

// emptyCommand makes this program a server whose handler does nothing, in a process of its own so that it's accounted
// for like jot.
const emptyCommand = "empty"

// serveEmpty serves until stdin ends, so that it doesn't outlive the program that started it.
func serveEmpty(stdin io.Reader, stdout io.Writer) error {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	server := &http.Server{Handler: http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}), ReadHeaderTimeout: answerTimeout}
	fmt.Fprintf(stdout, "nothing on http://%s\n", listener.Addr())
	go func() { // ends with stdin
		io.Copy(io.Discard, stdin)
		server.Close()
	}()
	if err := server.Serve(listener); err != http.ErrServerClosed {
		return err
	}
	return nil
}

// measureEmpty is what HTTP itself costs.
func (p plan) measureEmpty(ctx context.Context, dir string) (cost, error) {
	self, err := os.Executable()
	if err != nil {
		return cost{}, err
	}
	server, err := programs.Start(exec.CommandContext(ctx, self, emptyCommand), filepath.Join(dir, "empty.log"))
	if err != nil {
		return cost{}, err
	}
	defer server.Stop()
	c := newCaller(server.Base, p.clients)
	defer c.close()
	read := func() (time.Duration, time.Duration, error) {
		spent, err := programs.CPU(server.PID())
		return spent, 0, err
	}
	return measureRounds(ctx, p, read, 0, func(ctx context.Context, _ int) error { return c.get(ctx, "/") }, nil)
}

// measureSignature is what signing a token of the usual size costs, in milliseconds of CPU.
func (p plan) measureSignature() (float64, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return 0, err
	}
	input := make([]byte, 512)
	return p.alone(1000, func() error {
		digest := sha256.Sum256(input)
		_, err := ecdsa.SignASN1(rand.Reader, key, digest[:])
		return err
	})
}

// measureHash is what hashing a password costs, at the cost that jot stores (server/internal/accounts/password.go), in
// milliseconds of CPU.
func (p plan) measureHash() (float64, error) {
	return p.alone(8, func() error {
		argon2.IDKey([]byte("correct horse battery staple"), make([]byte, 16), 2, 19*1024, 1, 32)
		return nil
	})
}

// alone is the median of several rounds of work in this process, on one core.
func (p plan) alone(repetitions int, work func() error) (float64, error) {
	var rounds []float64
	for n := range p.rounds + 1 {
		before := measure.CPUTime()
		for range repetitions {
			if err := work(); err != nil {
				return 0, err
			}
		}
		if n > 0 {
			rounds = append(rounds, milliseconds(measure.CPUTime()-before)/float64(repetitions))
		}
	}
	return measure.Median(rounds), nil
}

// measureSync is how long the disk takes to keep 4 KiB more of a file in the directory, in milliseconds on the clock:
// the median of many times.
func measureSync(dir string) (float64, error) {
	const times = 200
	file, err := os.Create(filepath.Join(dir, "sync"))
	if err != nil {
		return 0, err
	}
	defer file.Close()
	page := make([]byte, 4<<10)
	took := make([]float64, times)
	for n := range times {
		if _, err := file.Write(page); err != nil {
			return 0, err
		}
		began := time.Now()
		if err := syncData(file); err != nil {
			return 0, err
		}
		took[n] = milliseconds(time.Since(began))
	}
	return measure.Median(took), nil
}
