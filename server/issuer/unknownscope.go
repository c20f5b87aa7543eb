package issuer

import "slices"

// UnknownScope is a scope of a declared client that none of its resources knows, so that nobody gets it: probably a
// slip of the pen.
type UnknownScope struct{ ClientID, Scope string }

// UnknownScopes returns those of the clients that the configuration declares. What looks unknown here may be a scope of
// a resource in the database.
func (c Config) UnknownScopes() []UnknownScope { return c.unknownScopes(c.fixedResources()) }

func (c Config) unknownScopes(resources []Resource) (unknown []UnknownScope) {
	for _, client := range c.Clients {
		for _, scope := range client.Scopes {
			known := slices.Contains(IdentityScopes(), scope) || slices.ContainsFunc(resources, func(r Resource) bool {
				return client.may(r.Audience) && slices.Contains(r.Scopes, scope)
			})
			if !known {
				unknown = append(unknown, UnknownScope{client.ID, scope})
			}
		}
	}
	return unknown
}

// warnOfScopes logs the unknown scopes. It looks into the database only where there are any.
func (i *Issuer) warnOfScopes(r Reader) error {
	resources := i.config.fixedResources()
	for after, more := "", true; more && len(i.config.unknownScopes(resources)) > 0; {
		batch, err := r.Resources(after, catalogBatch)
		if err != nil {
			return err
		}
		for _, one := range batch {
			if after = one.Audience; i.config.resource(after) == nil {
				resources = append(resources, one)
			}
		}
		more = len(batch) == catalogBatch
	}
	for _, u := range i.config.unknownScopes(resources) {
		i.config.Logger.Warn("no resource of this client has the scope, so nobody gets it: correct it, or give it to a resource", "client", u.ClientID, "scope", u.Scope)
	}
	return nil
}
