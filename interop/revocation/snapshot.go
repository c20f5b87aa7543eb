package main

import (
	"bytes"
	"context"
	"fmt"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/interop/measure"
	"github.com/jot-auth/jot/revocation"
)

// measureSnapshot writes a snapshot of a million rules and loads it, as a verifier does that starts.
func measureSnapshot(ctx context.Context, p plan, r *report) error {
	key, err := jot.GenerateKey(jot.EdDSA)
	if err != nil {
		return err
	}
	signer, err := jot.NewSigner(key, jot.SignerOptions{Type: revocation.StatementType})
	if err != nil {
		return err
	}
	verifier, err := revocation.NewStatementVerifier(jot.NewKeySet(key.Public()), issuerName)
	if err != nil {
		return err
	}
	body, err := writeSnapshot(ctx, signer, sessionRules(p.million))
	if err != nil {
		return err
	}
	var took []float64
	for range p.rounds {
		began := time.Now()
		_, set, err := revocation.ReadSnapshot(ctx, bytes.NewReader(body), verifier, p.million)
		if err != nil {
			return err
		}
		took = append(took, float64(time.Since(began).Microseconds())/1000)
		if set.Len() != p.million {
			return fmt.Errorf("the snapshot has %d rules", set.Len())
		}
	}
	r.add(line{Name: "snapshot of a million rules", Measured: float64(len(body)) / 1e6, Unit: "MB", AtMost: 24})
	r.add(line{Name: "snapshot of a million rules, verified and loaded", Measured: measure.Median(took), Unit: "ms", AtMost: 200})
	return nil
}

func writeSnapshot(ctx context.Context, signer *jot.Signer, rules []revocation.Rule) ([]byte, error) {
	var snapshot revocation.Snapshot
	for _, rule := range rules {
		if err := snapshot.Add(rule); err != nil {
			return nil, err
		}
	}
	head := revocation.NewLog("log")
	head.Sequence = uint64(len(rules))
	return snapshot.Encode(ctx, signer, issuerName, revocation.Statement{Head: head, Time: time.Now(), MaxTTL: time.Hour})
}
