package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/issuer"
)

const (
	demoUser = "ada"
	// revocationBound is the promise: an API refuses a revoked token this soon after the server's answer.
	revocationBound = 100 * time.Millisecond
	// rotationPatience is how long after it was due a rotation may take.
	rotationPatience = 3 * time.Second
)

// demoPlay is what the steps hand on.
type demoPlay struct {
	world    *demoWorld
	password string
	subject  string
	tokens   demoTokens // the current pair
	stolen   string     // the first refresh token, as a thief keeps it
}

// demoStep returns what was sent and what came back, or why that is wrong.
type demoStep struct {
	title string
	run   func(context.Context) (outcome string, err error)
}

func (p *demoPlay) steps() []demoStep {
	return []demoStep{
		{"sign up", p.signUp},
		{"log in", p.logIn},
		{"read the access token", p.readToken},
		{"call without a token", p.callWithoutToken},
		{"call with the token", p.callWithToken},
		{"edit the payload: add a feature", p.editPayload},
		{`forge: alg "none"`, p.forgeNone},
		{"forge: HS256 with the public key", p.forgeHS256},
		{"call for more than the scope", p.exceedScope},
		{"grant a feature, refresh, use it", p.grantFeature},
		{"refresh twice at once with one token", p.refreshTwice},
		{"replay a stolen, older refresh token", p.replayStolen},
		{"rotate the signing key", p.rotateKey},
		{"log out: refused at once", p.logOut},
	}
}

func (p *demoPlay) post(ctx context.Context, status int, path, token string, body any) (demoAnswer, error) {
	return expect(ctx, status, http.MethodPost, p.world.jot, path, token, body)
}

func (p *demoPlay) getPets(ctx context.Context, status int, path, token string) (demoAnswer, error) {
	return expect(ctx, status, http.MethodGet, p.world.petstore, path, token, nil)
}

func (p *demoPlay) signUp(ctx context.Context) (string, error) {
	p.password = randomPassword()
	answer, err := p.post(ctx, http.StatusCreated, "/v1/signup", "", map[string]string{"username": demoUser, "password": p.password})
	if err != nil {
		return "", err
	}
	var created struct {
		Subject string `json:"sub"`
	}
	if err := json.Unmarshal(answer.body, &created); err != nil || created.Subject == "" {
		return "", fmt.Errorf("%s, without a subject", answer)
	}
	p.subject = created.Subject
	return fmt.Sprintf("%s, sub %s", answer, created.Subject), nil
}

func (p *demoPlay) logIn(ctx context.Context) (string, error) {
	answer, err := p.post(ctx, http.StatusOK, "/v1/login", "", map[string]string{"username": demoUser, "password": p.password})
	if err != nil {
		return "", err
	}
	if p.tokens, err = tokensFrom(answer); err != nil {
		return "", err
	}
	p.stolen = p.tokens.Refresh
	return fmt.Sprintf("%s, an access token of %d bytes and a refresh token", answer, len(p.tokens.Access)), nil
}

// readToken shows what anybody who holds the token can read.
func (p *demoPlay) readToken(context.Context) (string, error) {
	read := jot.Inspect(p.tokens.Access)
	if err := read.Err(); err != nil {
		return "", err
	}
	var claims struct {
		Subject  string          `json:"sub"`
		Audience jot.Audience    `json:"aud"`
		Scope    string          `json:"scope"`
		Issued   jot.NumericDate `json:"iat"`
		Expires  jot.NumericDate `json:"exp"`
	}
	if err := json.Unmarshal(read.Payload.Decoded, &claims); err != nil {
		return "", err
	}
	if claims.Subject != p.subject {
		return "", fmt.Errorf("the token is about %s, not %s", claims.Subject, p.subject)
	}
	return fmt.Sprintf("header %s; aud %s, scope %q, lives %v", read.Header.Decoded, claims.Audience[0], claims.Scope, claims.Expires.Time().Sub(claims.Issued.Time())), nil
}

func (p *demoPlay) callWithoutToken(ctx context.Context) (string, error) {
	answer, err := p.getPets(ctx, http.StatusUnauthorized, "/pets/1", "")
	return answer.String(), err
}

func (p *demoPlay) callWithToken(ctx context.Context) (string, error) {
	answer, err := p.getPets(ctx, http.StatusOK, "/pets/1", p.tokens.Access)
	return fmt.Sprintf("%s %s", answer, bytes.TrimSpace(answer.body)), err
}

// editPayload adds the feature that the subject never got, and keeps the signature.
func (p *demoPlay) editPayload(ctx context.Context) (string, error) {
	return p.forge(ctx, func(header, payload map[string]any) (string, error) {
		payload["licensedFeatures"] = []string{"insights"}
		return unsignedToken(header, payload) + p.tokens.Access[strings.LastIndex(p.tokens.Access, "."):], nil
	})
}

func (p *demoPlay) forgeNone(ctx context.Context) (string, error) {
	return p.forge(ctx, func(header, payload map[string]any) (string, error) {
		header["alg"] = "none"
		return unsignedToken(header, payload) + ".", nil
	})
}

// forgeHS256 signs with what everybody has, the published key, taken for an HMAC secret.
func (p *demoPlay) forgeHS256(ctx context.Context) (string, error) {
	published, err := expect(ctx, http.StatusOK, http.MethodGet, p.world.jot, "/.well-known/jwks.json", "", nil)
	if err != nil {
		return "", err
	}
	return p.forge(ctx, func(header, payload map[string]any) (string, error) {
		kid, _ := header["kid"].(string)
		key, err := jot.NewSecretKey(jot.HS256, published.body, jot.KeyOptions{KeyID: kid})
		if err != nil {
			return "", err
		}
		signer, err := jot.NewSigner(key, jot.SignerOptions{Type: "at+jwt"})
		if err != nil {
			return "", err
		}
		return signer.Sign(ctx, payload)
	})
}

// forge calls the petstore with a forgery of the access token, which must be refused where the token itself is not.
func (p *demoPlay) forge(ctx context.Context, alter func(header, payload map[string]any) (string, error)) (string, error) {
	var header, payload map[string]any
	read := jot.Inspect(p.tokens.Access)
	if err := errors.Join(json.Unmarshal(read.Header.Decoded, &header), json.Unmarshal(read.Payload.Decoded, &payload)); err != nil {
		return "", err
	}
	forged, err := alter(header, payload)
	if err != nil {
		return "", err
	}
	answer, err := p.getPets(ctx, http.StatusUnauthorized, "/pets/1", forged)
	return answer.String(), err
}

// unsignedToken is the signing input of a token (RFC 7515 §5.1).
func unsignedToken(header, payload map[string]any) string {
	var parts [2]string
	for i, part := range []map[string]any{header, payload} {
		encoded, _ := json.Marshal(part) // they were JSON before
		parts[i] = base64.RawURLEncoding.EncodeToString(encoded)
	}
	return parts[0] + "." + parts[1]
}

func (p *demoPlay) exceedScope(ctx context.Context) (string, error) {
	answer, err := expect(ctx, http.StatusForbidden, http.MethodPost, p.world.petstore, "/pets", p.tokens.Access, map[string]string{"name": "Rex"})
	return answer.String(), err
}

// grantFeature changes the subject's claims. The promotion is soft: the old token stays good for what it says.
func (p *demoPlay) grantFeature(ctx context.Context) (string, error) {
	if _, err := p.getPets(ctx, http.StatusForbidden, "/pets/insights", p.tokens.Access); err != nil {
		return "", err
	}
	granted := json.RawMessage(`{"licensedFeatures":["insights"]}`)
	if err := p.world.server.Issuer().ChangeSubject(ctx, p.subject, issuer.Change{Claims: granted, Soft: true}); err != nil {
		return "", err
	}
	if _, err := p.getPets(ctx, http.StatusForbidden, "/pets/insights", p.tokens.Access); err != nil {
		return "", err
	}
	if err := p.refresh(ctx); err != nil {
		return "", err
	}
	answer, err := p.getPets(ctx, http.StatusOK, "/pets/insights", p.tokens.Access)
	return "before → 403, after the refresh: " + answer.String(), err
}

func (p *demoPlay) refresh(ctx context.Context) error {
	answer, err := p.post(ctx, http.StatusOK, "/v1/refresh", "", map[string]string{"refresh_token": p.tokens.Refresh})
	if err != nil {
		return err
	}
	p.tokens, err = tokensFrom(answer)
	return err
}

// refreshTwice is what two tabs do that share one store: both must come out with the same successor.
func (p *demoPlay) refreshTwice(ctx context.Context) (string, error) {
	var tabs [2]demoTokens
	var errs [2]error
	var both sync.WaitGroup
	for i := range tabs {
		both.Go(func() { // ends with its request, which has a timeout
			var answer demoAnswer
			if answer, errs[i] = p.post(ctx, http.StatusOK, "/v1/refresh", "", map[string]string{"refresh_token": p.tokens.Refresh}); errs[i] == nil {
				tabs[i], errs[i] = tokensFrom(answer)
			}
		})
	}
	both.Wait()
	if err := errors.Join(errs[:]...); err != nil {
		return "", err
	}
	if tabs[0].Refresh != tabs[1].Refresh {
		return "", errors.New("the two got different successors: the session has forked")
	}
	p.tokens = tabs[0]
	return "POST /v1/refresh twice → 200, 200, the same successor", nil
}

// replayStolen presents a token from two generations ago: that can only be a thief, or the thief's victim.
func (p *demoPlay) replayStolen(ctx context.Context) (string, error) {
	answer, err := p.post(ctx, http.StatusUnauthorized, "/v1/refresh", "", map[string]string{"refresh_token": p.stolen})
	if err != nil {
		return "", err
	}
	if _, err := p.post(ctx, http.StatusUnauthorized, "/v1/refresh", "", map[string]string{"refresh_token": p.tokens.Refresh}); err != nil {
		return "", fmt.Errorf("the session should have ended: %w", err)
	}
	delay, err := p.refusalAfter(ctx, time.Now())
	return fmt.Sprintf("%s; the session ended, its access token refused %.1f ms later", answer, milliseconds(delay)), err
}

// rotateKey checks that nobody notices: tokens signed before and after both verify.
func (p *demoPlay) rotateKey(ctx context.Context) (string, error) {
	if _, err := p.logIn(ctx); err != nil {
		return "", err
	}
	before := p.tokens.Access
	rotation, err := p.world.server.Issuer().RotateKey(ctx, issuer.RotateOptions{})
	if err != nil {
		return "", err
	}
	if err := p.refreshUntil(ctx, rotation.Due.Add(rotationPatience), func() bool { return keyID(p.tokens.Access) != keyID(before) }); err != nil {
		return "", fmt.Errorf("new tokens are still signed with the old key: %w", err)
	}
	for _, token := range []string{before, p.tokens.Access} {
		if _, err := p.getPets(ctx, http.StatusOK, "/pets/1", token); err != nil {
			return "", err
		}
	}
	return fmt.Sprintf("%.8s… → %.8s…, a token of each → 200, 200", keyID(before), keyID(p.tokens.Access)), nil
}

// refreshUntil refreshes now and then until the tokens are as wanted: a next key that some verifier may not hold yet is
// promoted a little later.
func (p *demoPlay) refreshUntil(ctx context.Context, deadline time.Time, wanted func() bool) error {
	if soonest := time.Now().Add(rotationPatience); deadline.Before(soonest) {
		deadline = soonest
	}
	ctx, cancel := context.WithDeadline(ctx, deadline)
	defer cancel()
	for {
		if err := p.refresh(ctx); err != nil || wanted() {
			return err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func keyID(token string) string {
	var header struct {
		KeyID string `json:"kid"`
	}
	json.Unmarshal(jot.Inspect(token).Header.Decoded, &header) // a broken header has no key ID
	return header.KeyID
}

// logOut measures how long the API goes on accepting a token after the server said that it's revoked.
func (p *demoPlay) logOut(ctx context.Context) (string, error) {
	if _, err := p.getPets(ctx, http.StatusOK, "/pets/1", p.tokens.Access); err != nil {
		return "", err
	}
	answer, err := p.post(ctx, http.StatusNoContent, "/v1/logout", p.tokens.Access, struct{}{})
	if err != nil {
		return "", err
	}
	delay, err := p.refusalAfter(ctx, time.Now())
	return fmt.Sprintf("%s; the petstore refuses the token %.1f ms later", answer, milliseconds(delay)), err
}

// refusalAfter calls the petstore until it refuses the access token, and returns how long after revoked it began to.
func (p *demoPlay) refusalAfter(ctx context.Context, revoked time.Time) (time.Duration, error) {
	for {
		asked := time.Now()
		answer, err := send(ctx, http.MethodGet, p.world.petstore, "/pets/1", p.tokens.Access, nil)
		if err != nil {
			return 0, err
		}
		if answer.status == http.StatusUnauthorized {
			return asked.Sub(revoked), nil
		}
		if delay := time.Since(revoked); delay > revocationBound {
			return delay, fmt.Errorf("%s, %v after the token was revoked; the bound is %v", answer, delay, revocationBound)
		}
	}
}
