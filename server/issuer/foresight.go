package issuer

import "time"

// Foresight is what a transaction reads in any case; "" is nothing. With something of it, it's the clock too.
type Foresight struct {
	Code     string // hash of an authorization code, whose sign-in comes with it
	SignIn   string // hash of a sign-in's secret; its subject comes with it
	Subject  string // ID
	Session  string // ID; its subject comes with it
	Client   string // ID of a stored one
	Resource string // audience of a stored one
}

// with adds a client and a resource, as requests name them, where they are stored.
func (f Foresight) with(c *Config, client, resource string) Foresight {
	if c.client(client) == nil {
		f.Client = client
	}
	if c.resource(resource) == nil {
		f.Resource = resource
	}
	return f
}

// nowAnd is the time of a transaction that reads what is foreseen.
func nowAnd(r Reader, ahead Foresight) (time.Time, error) {
	if err := r.Foresee(ahead); err != nil {
		return time.Time{}, err
	}
	return r.Now()
}
