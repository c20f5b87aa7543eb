package binary

import (
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
)

// balancer sends each request to another replica, as a load balancer does, and to the next one where a connection
// breaks before an answer has begun.
type balancer struct {
	lost atomic.Int64 // connections that broke

	mu      sync.Mutex
	turn    int
	targets []string // addresses
}

func (b *balancer) add(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets = append(b.targets, address)
}

func (b *balancer) remove(address string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.targets = slices.DeleteFunc(b.targets, func(target string) bool { return target == address })
}

func (b *balancer) next() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.turn++
	return b.targets[b.turn%len(b.targets)]
}

// RoundTrip implements http.RoundTripper.
func (b *balancer) RoundTrip(request *http.Request) (response *http.Response, err error) {
	if request.Body != nil {
		defer request.Body.Close()
	}
	for range replicas {
		attempt := request.Clone(request.Context())
		if request.GetBody != nil {
			if attempt.Body, err = request.GetBody(); err != nil {
				return nil, err
			}
		}
		attempt.URL.Host = b.next()
		if response, err = http.DefaultTransport.RoundTrip(attempt); err == nil {
			response.Request = request // redirects are to the balancer
			return response, nil
		}
		if request.Context().Err() != nil {
			break
		}
		b.lost.Add(1)
	}
	return nil, err
}
