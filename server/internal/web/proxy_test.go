package web

import (
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

func TestWhoARequestComesFrom(t *testing.T) {
	networks := []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	byX := Proxies{Trusted: networks}
	byForwarded := Proxies{Trusted: networks, Header: ForwardedHeader}
	type headers = http.Header
	const xff, fwd = "X-Forwarded-For", "Forwarded"
	for _, test := range []struct {
		name    string
		proxies Proxies
		peer    string
		headers headers
		want    string
	}{
		{"nobody is trusted", Proxies{}, "10.0.0.1:5", headers{xff: {"192.0.2.1"}}, "10.0.0.1"},
		{"a stranger's header", byX, "192.0.2.9:5", headers{xff: {"192.0.2.1"}}, "192.0.2.9"},
		{"one proxy", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1"}}, "192.0.2.1"},
		{"a client that lies", byX, "10.0.0.1:5", headers{xff: {"127.0.0.1, 192.0.2.1"}}, "192.0.2.1"},
		{"a client that lies in a line of its own", byX, "10.0.0.1:5", headers{xff: {"127.0.0.1", "192.0.2.1"}}, "192.0.2.1"},
		{"a client that claims to be a proxy", byX, "10.0.0.1:5", headers{xff: {"198.51.100.7, 192.0.2.1, 10.0.0.2"}}, "192.0.2.1"},
		{"a chain", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1,10.1.1.1 , 10.2.2.2"}}, "192.0.2.1"},
		{"from within", byX, "10.0.0.1:5", headers{xff: {"10.9.9.9"}}, "10.9.9.9"},
		{"no header", byX, "10.0.0.1:5", headers{}, "10.0.0.1"},
		{"not an address", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1, unknown"}}, "10.0.0.1"},
		{"not an address behind a proxy", byX, "10.0.0.1:5", headers{xff: {"<script>, 10.3.3.3"}}, "10.3.3.3"},
		{"an empty entry", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1,"}}, "10.0.0.1"},
		{"with a port", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1:4711"}}, "192.0.2.1"},
		{"IPv6", byX, "[fd00::1]:5", headers{xff: {"[2001:db8::1]:4711"}}, "2001:db8::1"},
		{"IPv6 without a port", byX, "[fd00::1%eth0]:5", headers{xff: {"2001:db8::1"}}, "2001:db8::1"},
		{"IPv4 in IPv6", byX, "[::ffff:10.0.0.1]:5", headers{xff: {"::ffff:192.0.2.1"}}, "192.0.2.1"},
		{"the other header", byX, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1"}}, "10.0.0.1"},
		{"the other header, the other way", byForwarded, "10.0.0.1:5", headers{xff: {"192.0.2.1"}}, "10.0.0.1"},
		{"too many", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1" + strings.Repeat(",10.0.0.2", 40)}}, "10.0.0.2"},

		{"Forwarded", byForwarded, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1;proto=https;by=10.0.0.1"}}, "192.0.2.1"},
		{"Forwarded, in capitals", byForwarded, "10.0.0.1:5", headers{fwd: {"Proto=https; For=192.0.2.1"}}, "192.0.2.1"},
		{"Forwarded IPv6", byForwarded, "10.0.0.1:5", headers{fwd: {`for="[2001:db8::1]:4711"`}}, "2001:db8::1"},
		{"Forwarded chain", byForwarded, "10.0.0.1:5", headers{fwd: {"for=127.0.0.1, for=192.0.2.1, for=10.5.5.5"}}, "192.0.2.1"},
		{"Forwarded hidden", byForwarded, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1, for=_hidden"}}, "10.0.0.1"},
		{"Forwarded twice in one", byForwarded, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1;for=192.0.2.2"}}, "10.0.0.1"},
		{"Forwarded with a quote left open", byForwarded, "10.0.0.1:5", headers{fwd: {`for="evil, for=192.0.2.1`}}, "192.0.2.1"},
		{"Forwarded without for", byForwarded, "10.0.0.1:5", headers{fwd: {"proto=https"}}, "10.0.0.1"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if err := test.proxies.Validate(); err != nil {
				t.Fatal(err)
			}
			var got string
			handler := test.proxies.Handler(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = ClientAddress(r) }))
			r := httptest.NewRequest(http.MethodGet, "/", nil)
			r.RemoteAddr, r.Header = test.peer, test.headers
			handler.ServeHTTP(httptest.NewRecorder(), r)
			if got != test.want {
				t.Errorf("got %s, want %s", got, test.want)
			}
		})
	}
}

func TestAProxyThatNobodyNamed(t *testing.T) {
	proxies := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	var told []string
	handler := proxies.Notice(func(proxy netip.Addr) { told = append(told, proxy.String()) }, http.NotFoundHandler())
	for _, request := range []struct{ peer, header string }{
		{"127.0.0.1:5", ""}, {"10.0.0.1:5", ForwardedForHeader}, {"198.51.100.1:5", ForwardedForHeader}, {"[::ffff:127.0.0.1]:5", ForwardedHeader}, {"192.168.0.1:5", ForwardedForHeader},
	} {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.RemoteAddr = request.peer
		if request.header != "" {
			r.Header.Set(request.header, "192.0.2.1")
		}
		handler.ServeHTTP(httptest.NewRecorder(), r)
	}
	if !slices.Equal(told, []string{"127.0.0.1"}) {
		t.Errorf("told of %v, want of the first neighbour that isn't trusted, once", told)
	}
}

func FuzzClientAddress(f *testing.F) {
	f.Add("192.0.2.1, 10.0.0.2")
	f.Add(`for="[2001:db8::1]:4711";proto=https, for=10.0.0.2`)
	f.Fuzz(func(t *testing.T, header string) {
		for _, name := range []string{ForwardedForHeader, ForwardedHeader} {
			proxies := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Header: name}
			r := &http.Request{RemoteAddr: "10.0.0.1:5", Header: http.Header{name: {header}}}
			if got, ok := proxies.client(r); !ok || !got.IsValid() || got.Zone() != "" || got.Is4In6() {
				t.Errorf("%s: %v", name, got)
			}
		}
	})
}

func TestOnlyProxiesMaySendUnencrypted(t *testing.T) {
	proxies := Proxies{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}}
	handler := proxies.Only("/auth", http.HandlerFunc(RefuseUnencrypted), http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	for _, test := range []struct {
		peer, path string
		status     int
	}{
		{"10.0.0.1:5", "/auth/v1/login", 200},
		{"127.0.0.1:5", "/auth/v1/login", 200},
		{"[::1]:5", "/auth/v1/login", 200},
		{"192.0.2.1:5", "/auth/v1/login", 403},
		{"192.0.2.1:5", "/auth/healthz", 200},
		{"192.0.2.1:5", "/auth/readyz", 200},
		{"192.0.2.1:5", "/healthz", 403},
		{"@", "/auth/v1/login", 403},
	} {
		r := httptest.NewRequest(http.MethodPost, test.path, nil)
		r.RemoteAddr = test.peer
		r.Header.Set("X-Forwarded-For", "127.0.0.1")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, r)
		if answer.Code != test.status {
			t.Errorf("%s %s: %d, want %d", test.peer, test.path, answer.Code, test.status)
		}
	}
}
