package issuer

import (
	"context"
	"crypto/rand"
	"errors"
	"slices"
	"time"
)

// Notice is a logout of which a client is to be told (OpenID Connect Back-Channel Logout 1.0).
type Notice struct {
	ID       string
	ClientID string
	Subject  string
	Session  string
	Attempts int       // that were begun
	Due      time.Time // of the next one
}

const (
	logoutTTL = 2 * time.Minute // §2.4 advises so

	// noticeLease is how long who claimed a notice has to deliver it, before somebody else tries.
	noticeLease = time.Minute
	// maxAttempts is for a client that is out of reach for half a day: the pauses grow from 2 s to 2 h.
	maxAttempts = 18
	maxPause    = 2 * time.Hour
	// claimBatches is through how much one look goes that isn't this server's to tell.
	claimBatches = 1000

	// MaxBusyClients is how many clients ClaimDeliveries leaves out.
	MaxBusyClients = 16
)

// logoutClaims are those of a logout token (§2.4).
type logoutClaims struct {
	Issuer    string                    `json:"iss"`
	Subject   string                    `json:"sub"`
	Audience  string                    `json:"aud"`
	IssuedAt  int64                     `json:"iat"`
	Expires   int64                     `json:"exp"`
	ID        string                    `json:"jti"`
	Events    map[string]map[string]any `json:"events"`
	SessionID string                    `json:"sid"`
}

// notify remembers that the client of a session is to be told of its end, if it has an ID token and wants to know. The
// notice is of the transaction that ends the session: no logout goes untold because a server stopped in between.
func (u *update) notify(session Session) error {
	if !slices.Contains(session.Scope, scopeOpenID) {
		return nil
	}
	client, err := u.issuer.client(u, session.ClientID)
	if err == nil && client.BackchannelLogoutURI == "" {
		return nil
	}
	if err != nil && !errors.Is(err, ErrInvalidClient) { // another server may know the client: their configurations may differ for a while
		return err
	}
	u.notified = true
	return u.InsertNotice(Notice{ID: rand.Text(), ClientID: session.ClientID, Subject: session.Subject, Session: session.ID, Due: u.now})
}

// maxNotices bounds the clients' sessions of which one transaction tells. Nobody uses more apps from browsers at once.
const maxNotices = 100

// notifyAll is notify for all sessions of a subject that live and came from a browser, before they end together.
func (u *update) notifyAll(s Subject) error {
	sessions, err := u.SessionsSignedIn(s.ID, maxNotices)
	if err != nil {
		return err
	}
	for _, session := range sessions {
		s.Ending.applyTo(&session)
		if kept := session.Generation > s.Generation; kept || !session.live(u.now) {
			continue
		}
		if err := u.notify(session); err != nil {
			return err
		}
	}
	return nil
}

// Delivery is a logout token and where it goes.
type Delivery struct {
	Notice Notice
	URI    string // https, or http on loopback
	Token  string
}

// ClaimDeliveries returns up to limit logouts of which a client is to be told now, none of busy ones, of which there
// are at most MaxBusyClients. Who claims one has a minute to deliver it, and says what came of it with Delivered or
// Undelivered; other servers over the database don't get it meanwhile. What is for a client that this server doesn't
// know, or whose address it doesn't, counts as an attempt, and is left to other servers; a client that was deleted is
// told nothing.
func (i *Issuer) ClaimDeliveries(ctx context.Context, limit int, busy []string) ([]Delivery, error) {
	for range claimBatches {
		deliveries, others, err := i.claimBatch(ctx, limit, busy)
		if err != nil {
			return nil, err
		}
		for _, n := range others {
			if err := i.setAside(ctx, n); err != nil {
				return nil, err
			}
		}
		if len(deliveries) > 0 || len(others) < limit { // else what is this server's to tell may stand behind it
			return deliveries, nil
		}
	}
	return nil, nil
}

// claimBatch claims up to limit notices; others are those that this server can't tell.
func (i *Issuer) claimBatch(ctx context.Context, limit int, busy []string) (deliveries []Delivery, others []Notice, err error) {
	var notices []Notice
	var now time.Time
	var clients map[string]Client
	// Finding and claiming are one transaction: of two servers that look at once, one delivers.
	err = i.commit(ctx, func(u *update) (err error) {
		now, clients = u.now, make(map[string]Client)
		if notices, err = u.ClaimNotices(u.now, u.now.Add(noticeLease), limit, busy); err != nil {
			return err
		}
		for _, n := range notices {
			client, err := u.issuer.client(u, n.ClientID)
			if err == nil && client.BackchannelLogoutURI != "" {
				clients[n.ClientID] = *client
			} else if err != nil && !errors.Is(err, ErrInvalidClient) {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return nil, nil, err
	}
	for _, n := range notices {
		client, there := clients[n.ClientID]
		if !there {
			others = append(others, n)
			continue
		}
		token, err := i.logoutToken(ctx, n, &client, now)
		if err != nil {
			return nil, nil, err
		}
		deliveries = append(deliveries, Delivery{Notice: n, URI: client.BackchannelLogoutURI, Token: token})
	}
	return deliveries, others, nil
}

// setAside leaves a notice to other servers, or forgets it when the client whose session it was is deleted, which all
// of them know. A client of the same ID that some of them have got since, by their configuration, has sessions of its
// own.
func (i *Issuer) setAside(ctx context.Context, n Notice) error {
	deleted := false
	err := i.store.View(ctx, func(r Reader) error {
		own, err := r.Subject(n.ClientID)
		if err != nil {
			return err
		}
		session, _, err := r.Session(n.Session)
		deleted = err == nil && !session.Created.After(own.Deleted)
		return err
	})
	switch {
	case err != nil && !errors.Is(err, ErrNotFound):
		return err
	case deleted:
		return i.Delivered(ctx, n)
	}
	_, err = i.Undelivered(ctx, n)
	return err
}

func (i *Issuer) logoutToken(ctx context.Context, n Notice, client *Client, now time.Time) (string, error) {
	key, err := i.keys.Load().signer(logoutType, client.Algorithm, i.config.Algorithm)
	if err != nil {
		return "", err
	}
	return key.sign(ctx, logoutClaims{
		Issuer: i.config.URL, Subject: n.Subject, Audience: client.ID, IssuedAt: now.Unix(), Expires: now.Add(logoutTTL).Unix(), ID: rand.Text(),
		Events: map[string]map[string]any{logoutEvent: {}}, SessionID: n.Session,
	})
}

// Delivered forgets a notice that its client took, or never will.
func (i *Issuer) Delivered(ctx context.Context, n Notice) error {
	return i.store.Update(ctx, func(tx Tx) error { return tx.DeleteNotice(n.ID) }) // one row, that this server alone has claimed
}

// Undelivered plans another attempt, later each time, or gives up after half a day, and reports whether it did.
func (i *Issuer) Undelivered(ctx context.Context, n Notice) (givenUp bool, err error) {
	err = i.store.Update(ctx, func(tx Tx) (err error) { // one row, that this server alone has claimed
		givenUp, err = postpone(tx, n)
		return err
	})
	return givenUp, err
}

func postpone(tx Tx, n Notice) (givenUp bool, err error) {
	if n.Attempts >= maxAttempts {
		return true, tx.DeleteNotice(n.ID)
	}
	now, err := tx.Now()
	if err != nil {
		return false, err
	}
	return false, tx.PostponeNotice(n.ID, now.Add(min(time.Second<<n.Attempts, maxPause)))
}

// Noticed returns a channel that is closed when this server has written a notice since the call.
func (i *Issuer) Noticed() <-chan struct{} { return i.notices.wait() }
