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
		{"as many as may be", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1" + strings.Repeat(",10.0.0.2", maxHops-1)}}, "192.0.2.1"},
		{"one too many", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1" + strings.Repeat(",10.0.0.2", maxHops)}}, "10.0.0.2"},
		{"no address", byX, "@", headers{xff: {"192.0.2.1"}}, "@"},
		{"too many", byX, "10.0.0.1:5", headers{xff: {"192.0.2.1" + strings.Repeat(",10.0.0.2", 40)}}, "10.0.0.2"},

		{"Forwarded", byForwarded, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1;proto=https;by=10.0.0.1"}}, "192.0.2.1"},
		{"Forwarded, in capitals", byForwarded, "10.0.0.1:5", headers{fwd: {"Proto=https; For=192.0.2.1"}}, "192.0.2.1"},
		{"Forwarded IPv6", byForwarded, "10.0.0.1:5", headers{fwd: {`for="[2001:db8::1]:4711"`}}, "2001:db8::1"},
		{"Forwarded chain", byForwarded, "10.0.0.1:5", headers{fwd: {"for=127.0.0.1, for=192.0.2.1, for=10.5.5.5"}}, "192.0.2.1"},
		{"Forwarded hidden", byForwarded, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1, for=_hidden"}}, "10.0.0.1"},
		{"Forwarded twice in one", byForwarded, "10.0.0.1:5", headers{fwd: {"for=192.0.2.1;for=192.0.2.2"}}, "10.0.0.1"},
		{"Forwarded with a quote left open", byForwarded, "10.0.0.1:5", headers{fwd: {`for="evil, for=192.0.2.1`}}, "192.0.2.1"},
		{"Forwarded with a quote that isn't closed", byForwarded, "10.0.0.1:5", headers{fwd: {`for="192.0.2.12`}}, "10.0.0.1"},
		{"Forwarded with a quote that isn't opened", byForwarded, "10.0.0.1:5", headers{fwd: {`for=192.0.2.1"`}}, "10.0.0.1"},
		{"Forwarded with a quote alone", byForwarded, "10.0.0.1:5", headers{fwd: {`for="`}}, "10.0.0.1"},
		{"Forwarded with quotes alone", byForwarded, "10.0.0.1:5", headers{fwd: {`for=""`}}, "10.0.0.1"},
		{"Forwarded with words", byForwarded, "10.0.0.1:5", headers{fwd: {`secure;for=192.0.2.1`}}, "192.0.2.1"},
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
	for _, test := range []struct {
		name  string
		peers []string
		told  []string
	}{
		{"a trusted one", []string{"10.0.0.1:5"}, nil},
		{"a stranger", []string{"198.51.100.1:5"}, nil},
		{"no address", []string{"@"}, nil},
		{"this machine, in IPv6, and then another neighbour", []string{"[::ffff:127.0.0.1]:5", "192.168.0.1:5"}, []string{"127.0.0.1"}},
		{"another neighbour, twice", []string{"192.168.0.1:5", "192.168.0.1:6"}, []string{"192.168.0.1"}},
	} {
		for _, header := range []string{"", ForwardedForHeader, ForwardedHeader} {
			var told []string
			answered := 0
			handler := proxies.Notice(func(proxy netip.Addr) { told = append(told, proxy.String()) }, http.HandlerFunc(func(http.ResponseWriter, *http.Request) { answered++ }))
			for _, peer := range test.peers {
				r := httptest.NewRequest(http.MethodGet, "/", nil)
				r.RemoteAddr = peer
				if header != "" {
					r.Header.Set(header, "192.0.2.1")
				}
				handler.ServeHTTP(httptest.NewRecorder(), r)
			}
			want := test.told
			if header == "" {
				want = nil
			}
			if !slices.Equal(told, want) || answered != len(test.peers) {
				t.Errorf("%s, with header %q: told of %v, want %v; %d requests go on", test.name, header, told, want, answered)
			}
		}
	}
}

func TestProxiesThatAreRefused(t *testing.T) {
	for _, good := range []Proxies{
		{}, {Header: ForwardedForHeader}, {Header: ForwardedHeader},
		{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32"), netip.MustParsePrefix("fd00::/8"), netip.MustParsePrefix("128.0.0.0/1")}},
	} {
		if err := good.Validate(); err != nil {
			t.Errorf("%+v: %v", good, err)
		}
	}
	for _, bad := range []Proxies{
		{Header: "X-Real-Ip"}, {Header: "x-forwarded-for"}, {Trusted: []netip.Prefix{{}}}, {Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.1/8")}},
		{Trusted: []netip.Prefix{netip.MustParsePrefix("::ffff:10.0.0.0/104")}}, {Trusted: []netip.Prefix{netip.MustParsePrefix("0.0.0.0/0")}},
		{Trusted: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::/0")}},
	} {
		if err := bad.Validate(); err == nil {
			t.Errorf("%+v is accepted", bad)
		}
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
	handler := proxies.Only("/auth", http.HandlerFunc(RefuseUnencrypted), http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTeapot) }))
	for _, test := range []struct {
		peer, path string
		status     int
	}{
		{"10.0.0.1:5", "/auth/v1/login", 418},
		{"127.0.0.1:5", "/auth/v1/login", 418},
		{"[::1]:5", "/auth/v1/login", 418},
		{"192.0.2.1:5", "/auth/v1/login", 403},
		{"192.0.2.1:5", "/auth/healthz", 418},
		{"192.0.2.1:5", "/auth/readyz", 418},
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
		if closes := answer.Header().Get("Connection") == "close"; closes != (test.status == 403) {
			t.Errorf("%s %s: the connection ends: %v", test.peer, test.path, closes)
		}
	}
}
