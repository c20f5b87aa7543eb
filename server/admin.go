package server

import (
	"net"
	"net/http"
	"net/http/pprof"

	"github.com/jot-auth/jot/server/internal/loopback"
	"github.com/jot-auth/jot/server/internal/web"
)

// adminHandler serves what only those who run the server may see, on a listener of its own.
func (s *Server) adminHandler() http.Handler {
	mux := http.NewServeMux()
	s.registerHealth(mux, "")
	mux.Handle("GET /metrics", noPage(s.metrics.Handler()))
	for path, profile := range map[string]http.HandlerFunc{
		"/debug/pprof/": pprof.Index, "/debug/pprof/profile": pprof.Profile, "/debug/pprof/trace": pprof.Trace, "/debug/pprof/symbol": pprof.Symbol,
	} {
		mux.Handle("GET "+path, noPage(onlyHere(profile)))
	}
	return web.Problems(mux)
}

// onlyHere answers this machine alone: a profile says much of the process and costs it time.
func onlyHere(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !loopback.Ends(r.RemoteAddr) {
			web.WriteProblem(w, web.NewProblem(http.StatusForbidden, "profiles are for this machine alone: use its loopback address"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

// noPage refuses pages in a browser on this machine whose own name was made to point here (DNS rebinding).
func noPage(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if loopback.Ends(r.RemoteAddr) && !namesLoopback(r.Host) {
			web.WriteProblem(w, web.NewProblem(http.StatusForbidden, "from this machine, ask for localhost or a loopback address"))
			return
		}
		next.ServeHTTP(w, r)
	})
}

func namesLoopback(hostPort string) bool {
	host, _, err := net.SplitHostPort(hostPort)
	if err != nil {
		host = hostPort
	}
	return loopback.Names(host)
}
