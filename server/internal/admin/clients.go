package admin

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Clients is what this package needs of an *issuer.Issuer about clients.
type Clients interface {
	Client(ctx context.Context, id string) (issuer.Client, error)
	ListClients(ctx context.Context, f issuer.ClientFilter, after string, limit int) ([]issuer.Client, error)
	CreateClient(ctx context.Context, c issuer.Client) error
	ChangeClient(ctx context.Context, id string, change func(*issuer.Client) error) (issuer.Client, error)
	DeleteClient(ctx context.Context, id string) error
	ReplaceClientSecret(ctx context.Context, id string) (secret string, err error)
}

type clientAnswer struct {
	ID           string   `json:"client_id"`
	Secret       string   `json:"client_secret,omitempty"` // only where it was just made: it is nowhere else
	Name         string   `json:"name"`
	Scope        string   `json:"scope"`
	Resources    []string `json:"resources"` // empty: any
	FirstParty   bool     `json:"first_party"`
	Confidential bool     `json:"confidential"`
	AccessTTL    seconds  `json:"access_ttl"` // 0: the resource's
	IdleTTL      seconds  `json:"idle_ttl"`   // 0: the server's
	AbsoluteTTL  seconds  `json:"absolute_ttl"`
	AccessType   string   `json:"access_type,omitempty"`
	Algorithm    string   `json:"algorithm,omitempty"`

	KeySet       *jot.KeySet `json:"key_set,omitempty"`
	RequireDPoP  bool        `json:"require_dpop"`
	ExchangeFrom []string    `json:"exchange_from"`
	DeviceGrant  bool        `json:"device_grant"`

	RedirectURIs           []string `json:"redirect_uris"`
	PostLogoutRedirectURIs []string `json:"post_logout_redirect_uris"`
	BackchannelLogoutURI   string   `json:"backchannel_logout_uri,omitempty"`

	Declared bool       `json:"declared"` // in the configuration: it can't be changed here
	Created  *time.Time `json:"created,omitempty"`
}

func newClientAnswer(c issuer.Client, secret string) clientAnswer {
	return clientAnswer{
		ID: c.ID, Secret: secret, Name: c.Name, Scope: strings.Join(c.Scopes, " "), Resources: append([]string{}, c.Resources...),
		FirstParty: c.FirstParty, Confidential: c.Confidential(), AccessTTL: newSeconds(c.AccessTTL), IdleTTL: newSeconds(c.IdleTTL),
		AbsoluteTTL: newSeconds(c.AbsoluteTTL), AccessType: c.AccessType, Algorithm: string(c.Algorithm), Declared: c.Declared, KeySet: c.KeySet, RequireDPoP: c.RequireDPoP,
		ExchangeFrom: append([]string{}, c.ExchangeFrom...), DeviceGrant: c.DeviceGrant,
		RedirectURIs: append([]string{}, c.RedirectURIs...), PostLogoutRedirectURIs: append([]string{}, c.PostLogoutRedirectURIs...), BackchannelLogoutURI: c.BackchannelLogoutURI,
		Created: optional(c.Created),
	}
}

type clientsAnswer struct {
	Clients []clientAnswer `json:"clients"`
	Next    string         `json:"next,omitempty"`
}

// listClients answers a page of clients, declared and stored ones, by their IDs.
func (a *API) listClients(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "text", "confidential", "first_party")
	filter := issuer.ClientFilter{Text: q.text("text"), Confidential: q.flag("confidential"), FirstParty: q.flag("first_party")}
	clients, next, err := namedPage(q, func(after string, limit int) ([]issuer.Client, error) {
		return a.issuer.ListClients(r.Context(), filter, after, limit)
	}, func(c issuer.Client) string { return c.ID })
	if err != nil {
		return err
	}
	answer := clientsAnswer{Clients: []clientAnswer{}, Next: next}
	for _, c := range clients {
		answer.Clients = append(answer.Clients, newClientAnswer(c, ""))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// showClient answers one client.
func (a *API) showClient(w http.ResponseWriter, r *http.Request) error {
	client, err := a.issuer.Client(r.Context(), r.PathValue("id"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, newClientAnswer(client, ""))
	return nil
}

// clientChange are the members that can be set and changed; nil keeps what is.
type clientChange struct {
	Name        *string   `json:"name"`
	Scope       *string   `json:"scope"`
	Resources   *[]string `json:"resources"` // empty: any
	FirstParty  *bool     `json:"first_party"`
	AccessTTL   *seconds  `json:"access_ttl"`
	IdleTTL     *seconds  `json:"idle_ttl"`
	AbsoluteTTL *seconds  `json:"absolute_ttl"`
	AccessType  *string   `json:"access_type"`
	Algorithm   *string   `json:"algorithm"`

	KeySet       *json.RawMessage `json:"key_set"` // takes the place of a secret
	RequireDPoP  *bool            `json:"require_dpop"`
	ExchangeFrom *[]string        `json:"exchange_from"`
	DeviceGrant  *bool            `json:"device_grant"`

	RedirectURIs           *[]string `json:"redirect_uris"`
	PostLogoutRedirectURIs *[]string `json:"post_logout_redirect_uris"`
	BackchannelLogoutURI   *string   `json:"backchannel_logout_uri"`
}

func (change clientChange) apply(c *issuer.Client) error {
	set(&c.Name, change.Name)
	set(&c.FirstParty, change.FirstParty)
	set(&c.AccessType, change.AccessType)
	if change.Scope != nil {
		c.Scopes = web.ParseScope(*change.Scope)
	}
	setList(&c.Resources, change.Resources)
	setList(&c.ExchangeFrom, change.ExchangeFrom)
	set(&c.DeviceGrant, change.DeviceGrant)
	set(&c.RequireDPoP, change.RequireDPoP)
	setList(&c.RedirectURIs, change.RedirectURIs)
	setList(&c.PostLogoutRedirectURIs, change.PostLogoutRedirectURIs)
	set(&c.BackchannelLogoutURI, change.BackchannelLogoutURI)
	if change.Algorithm != nil {
		c.Algorithm = jot.Algorithm(*change.Algorithm)
	}
	if err := change.applyKeySet(c); err != nil {
		return err
	}
	if err := change.AccessTTL.set("access_ttl", &c.AccessTTL); err != nil {
		return err
	}
	if err := change.IdleTTL.set("idle_ttl", &c.IdleTTL); err != nil {
		return err
	}
	return change.AbsoluteTTL.set("absolute_ttl", &c.AbsoluteTTL)
}

// applyKeySet lets keys take the place of a secret.
func (change clientChange) applyKeySet(c *issuer.Client) (err error) {
	if change.KeySet != nil {
		c.SecretHash = nil
		c.KeySet, err = issuer.ParseClientKeySet(*change.KeySet)
	}
	return err
}

type newClientRequest struct {
	ID           string `json:"client_id"` // "": a random one
	Confidential bool   `json:"confidential"`
	clientChange
}

// createClient makes a client, and a secret for a confidential one that brings no keys, which the answer alone bears.
func (a *API) createClient(w http.ResponseWriter, r *http.Request) error {
	var req newClientRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	client := issuer.Client{ID: cmp.Or(req.ID, issuer.ClientPrefix+strings.ToLower(rand.Text()))}
	if err := req.apply(&client); err != nil {
		return err
	}
	secret := ""
	if req.Confidential && client.KeySet == nil {
		secret, client.SecretHash = issuer.NewClientSecret()
	}
	if err := a.issuer.CreateClient(r.Context(), client); err != nil {
		return err
	}
	made, err := a.issuer.Client(r.Context(), client.ID)
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.base+"/admin/v1/clients/"+url.PathEscape(made.ID))
	web.WriteJSON(w, http.StatusCreated, newClientAnswer(made, secret))
	return nil
}

// changeClient changes what the request names, in one transaction; of two changes the later wins.
func (a *API) changeClient(w http.ResponseWriter, r *http.Request) error {
	var req clientChange
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	if req == (clientChange{}) {
		return nothingToChange
	}
	client, err := a.issuer.ChangeClient(r.Context(), r.PathValue("id"), req.apply)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, newClientAnswer(client, ""))
	return nil
}

// deleteClient takes a client, its sessions and its tokens out of use.
func (a *API) deleteClient(w http.ResponseWriter, r *http.Request) error {
	web.GiveTime(w, endingTimeout)
	if err := a.issuer.DeleteClient(r.Context(), r.PathValue("id")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}

type secretAnswer struct {
	ID     string `json:"client_id"`
	Secret string `json:"client_secret"`
}

// replaceSecret gives a client a new secret, which the answer alone bears.
func (a *API) replaceSecret(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	secret, err := a.issuer.ReplaceClientSecret(r.Context(), id)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, secretAnswer{id, secret})
	return nil
}
