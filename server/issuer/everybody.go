package issuer

import (
	"context"
	"errors"
	"math"
	"time"
)

// endOfTime is later than anything expires.
var endOfTime = time.UnixMilli(math.MaxInt64)

// signEverybodyOut forgets all sign-ins and all device codes, batch by batch. It comes before the end of sessions:
// those that were begun by what it forgets are among them then.
func (i *Issuer) signEverybodyOut(ctx context.Context) error {
	return i.forget(ctx, signSomeOut)
}

// forgetCodes does so with the codes of one client that gave no session yet, and those of its devices: who is signed in
// stays so, and gets it new ones.
func (i *Issuer) forgetCodes(ctx context.Context, client string) error {
	return i.forget(ctx, func(tx Tx, limit int) (more bool, err error) {
		codes, err1 := tx.DeleteUnusedCodes(client, endOfTime, limit)
		devices, err2 := tx.DeleteDeviceCodes(client, endOfTime, limit)
		return codes == limit || devices == limit, errors.Join(err1, err2)
	})
}

// forget runs batches of what leads to sessions, until there are no more.
func (i *Issuer) forget(ctx context.Context, batch func(tx Tx, limit int) (more bool, err error)) error {
	for more := true; more; {
		// A batch is a transaction of its own: a code that is traded at the same time comes before, and its session
		// ends later on, or is gone, or finds no sign-in.
		err := i.store.Update(ctx, func(tx Tx) (err error) {
			more, err = batch(tx, sweepBatch)
			return err
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// signSomeOut forgets up to limit sign-ins, whose codes are good for nothing then, and as many device codes, whoever's
// they are. It reports whether there may be more.
func signSomeOut(tx Tx, limit int) (more bool, err error) {
	signIns, err1 := tx.DeleteSignIns(endOfTime, limit)
	devices, err2 := tx.DeleteDeviceCodes("", endOfTime, limit)
	return signIns == limit || devices == limit, errors.Join(err1, err2)
}
