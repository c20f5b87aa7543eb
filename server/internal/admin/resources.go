package admin

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/jot-auth/jot"
	"github.com/jot-auth/jot/server/internal/web"
	"github.com/jot-auth/jot/server/issuer"
)

// Resources is what this package needs of an *issuer.Issuer about resources.
type Resources interface {
	Resource(ctx context.Context, audience string) (issuer.Resource, error)
	ListResources(ctx context.Context, f issuer.ResourceFilter, after string, limit int) ([]issuer.Resource, error)
	CreateResource(ctx context.Context, r issuer.Resource) error
	ChangeResource(ctx context.Context, audience string, change func(*issuer.Resource) error) (issuer.Resource, error)
	DeleteResource(ctx context.Context, audience string) error
}

type resourceAnswer struct {
	Audience  string     `json:"audience"`
	Name      string     `json:"name"`
	Scope     string     `json:"scope"`
	AccessTTL seconds    `json:"access_ttl"`
	Algorithm string     `json:"algorithm,omitempty"`
	Declared  bool       `json:"declared"` // in the configuration: it can't be changed here
	Created   *time.Time `json:"created,omitempty"`
}

func newResourceAnswer(r issuer.Resource) resourceAnswer {
	return resourceAnswer{
		Audience: r.Audience, Name: r.Name, Scope: strings.Join(r.Scopes, " "), AccessTTL: newSeconds(r.AccessTTL), Algorithm: string(r.Algorithm),
		Declared: r.Declared, Created: optional(r.Created),
	}
}

type resourcesAnswer struct {
	Resources []resourceAnswer `json:"resources"`
	Next      string           `json:"next,omitempty"`
}

// listResources answers a page of resources, declared and stored ones, by their audiences.
func (a *API) listResources(w http.ResponseWriter, r *http.Request) error {
	q := readQuery(r, "text")
	filter := issuer.ResourceFilter{Text: q.text("text")}
	resources, next, err := namedPage(q, func(after string, limit int) ([]issuer.Resource, error) {
		return a.issuer.ListResources(r.Context(), filter, after, limit)
	}, func(r issuer.Resource) string { return r.Audience })
	if err != nil {
		return err
	}
	answer := resourcesAnswer{Resources: []resourceAnswer{}, Next: next}
	for _, resource := range resources {
		answer.Resources = append(answer.Resources, newResourceAnswer(resource))
	}
	web.WriteJSON(w, http.StatusOK, answer)
	return nil
}

// showResource answers one resource.
func (a *API) showResource(w http.ResponseWriter, r *http.Request) error {
	resource, err := a.issuer.Resource(r.Context(), r.PathValue("audience"))
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, newResourceAnswer(resource))
	return nil
}

// resourceChange are the members that can be set and changed; nil keeps what is.
type resourceChange struct {
	Name      *string  `json:"name"`
	Scope     *string  `json:"scope"`
	AccessTTL *seconds `json:"access_ttl"` // 0: the server's
	Algorithm *string  `json:"algorithm"`
}

func (change resourceChange) apply(r *issuer.Resource) error {
	set(&r.Name, change.Name)
	if change.Scope != nil {
		r.Scopes = web.ParseScope(*change.Scope)
	}
	if change.Algorithm != nil {
		r.Algorithm = jot.Algorithm(*change.Algorithm)
	}
	return change.AccessTTL.set("access_ttl", &r.AccessTTL)
}

type newResourceRequest struct {
	Audience string `json:"audience"`
	resourceChange
}

// createResource makes a resource.
func (a *API) createResource(w http.ResponseWriter, r *http.Request) error {
	var req newResourceRequest
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	resource := issuer.Resource{Audience: req.Audience}
	if err := req.apply(&resource); err != nil {
		return err
	}
	if err := a.issuer.CreateResource(r.Context(), resource); err != nil {
		return err
	}
	made, err := a.issuer.Resource(r.Context(), req.Audience)
	if err != nil {
		return err
	}
	w.Header().Set("Location", a.base+"/admin/v1/resources/"+url.PathEscape(made.Audience))
	web.WriteJSON(w, http.StatusCreated, newResourceAnswer(made))
	return nil
}

// changeResource changes what the request names, in one transaction; of two changes the later wins.
func (a *API) changeResource(w http.ResponseWriter, r *http.Request) error {
	var req resourceChange
	if err := web.DecodeJSON(w, r, &req); err != nil {
		return err
	}
	if req == (resourceChange{}) {
		return nothingToChange
	}
	resource, err := a.issuer.ChangeResource(r.Context(), r.PathValue("audience"), req.apply)
	if err != nil {
		return err
	}
	web.WriteJSON(w, http.StatusOK, newResourceAnswer(resource))
	return nil
}

// deleteResource takes a resource and the sessions that are for it out of use.
func (a *API) deleteResource(w http.ResponseWriter, r *http.Request) error {
	if err := a.issuer.DeleteResource(r.Context(), r.PathValue("audience")); err != nil {
		return err
	}
	w.WriteHeader(http.StatusNoContent)
	return nil
}
