package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"

	"github.com/jot-auth/jot/interop/programs"
	"github.com/jot-auth/jot/revocation"
)

// storeTimeout is more than a store takes to start.
const storeTimeout = 30 * time.Second

// onTheClock is time as whoever waits has it.
func onTheClock() clock {
	began := time.Now()
	return func() time.Duration { return time.Since(began) }
}

// openRedis starts a Redis of its own on a Unix socket, which is nearer than any other, and fills it.
func openRedis(ctx context.Context, p plan, rules []revocation.Rule) (a asker, err error) {
	program, err := exec.LookPath("redis-server")
	if err != nil {
		return a, fmt.Errorf("%w: install the package redis-server", err)
	}
	dir, err := os.MkdirTemp("", "jot-redis-")
	if err != nil {
		return a, err
	}
	socket := filepath.Join(dir, "socket")
	server := exec.CommandContext(ctx, program, "--port", "0", "--unixsocket", socket, "--dir", dir, "--save", "", "--appendonly", "no")
	if err := server.Start(); err != nil {
		return a, errors.Join(err, os.RemoveAll(dir))
	}
	client := redis.NewClient(&redis.Options{
		Network: "unix", Addr: socket, PoolSize: 1, ReadTimeout: storeTimeout,
		Dialer: func(ctx context.Context, network, address string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, address)
		},
	})
	a.close = func() {
		client.Close()
		server.Process.Kill() // it has nothing to lose
		server.Wait()
		os.RemoveAll(dir)
	}
	if err := fillRedis(ctx, p, client, rules); err != nil {
		a.close()
		return a, err
	}
	a.has = func(ctx context.Context, subject []byte) (bool, error) {
		err := client.Get(ctx, string(subject)).Err()
		if errors.Is(err, redis.Nil) {
			return false, nil
		}
		return err == nil, err
	}
	return a, nil
}

func fillRedis(ctx context.Context, p plan, client *redis.Client, rules []revocation.Rule) error {
	for deadline := time.Now().Add(storeTimeout); ; time.Sleep(20 * time.Millisecond) {
		err := client.Ping(ctx).Err()
		if err == nil {
			break
		}
		if time.Now().After(deadline) || ctx.Err() != nil {
			return err
		}
	}
	const batch = 10_000
	for n := 0; n < len(rules); n += batch {
		pipe := client.Pipeline()
		for _, r := range rules[n:min(n+batch, len(rules))] {
			pipe.Set(ctx, r.Subject, r.Expires, 0)
		}
		if _, err := pipe.Exec(ctx); err != nil {
			return err
		}
		p.progress.Bar(n, len(rules), "rules into Redis")
	}
	return nil
}

// openPostgres starts a PostgreSQL of its own, and fills a table whose primary key is the subject.
func openPostgres(ctx context.Context, p plan, rules []revocation.Rule) (a asker, err error) {
	cluster, err := programs.StartCluster(ctx)
	if err != nil {
		return a, err
	}
	a.close = func() { cluster.Stop() }
	url, err := cluster.Database(ctx, "rules")
	if err != nil {
		a.close()
		return a, err
	}
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		a.close()
		return a, err
	}
	a.close = func() {
		connection.Close(context.WithoutCancel(ctx))
		cluster.Stop()
	}
	p.show("rules into PostgreSQL")
	if err := fillPostgres(ctx, connection, rules); err != nil {
		a.close()
		return a, err
	}
	a.has = func(ctx context.Context, subject []byte) (found bool, err error) {
		err = connection.QueryRow(ctx, "SELECT true FROM rules WHERE subject = $1", string(subject)).Scan(&found)
		if errors.Is(err, pgx.ErrNoRows) {
			return false, nil
		}
		return found, err
	}
	return a, nil
}

func fillPostgres(ctx context.Context, connection *pgx.Conn, rules []revocation.Rule) error {
	if _, err := connection.Exec(ctx, `CREATE UNLOGGED TABLE rules (subject text COLLATE "C" PRIMARY KEY, expires bigint NOT NULL)`); err != nil {
		return err
	}
	_, err := connection.CopyFrom(ctx, pgx.Identifier{"rules"}, []string{"subject", "expires"}, pgx.CopyFromSlice(len(rules), func(n int) ([]any, error) {
		return []any{rules[n].Subject, rules[n].Expires}, nil
	}))
	return err
}
