package server

import "time"

// Hurry shortens every bound, for tests that wait for it.
func (s *Server) Hurry(bound, end time.Duration) {
	s.bounds.header, s.bounds.read, s.bounds.idle, s.bounds.end = bound, bound, bound, end
}

// AdminHandler is what answers on the admin listener.
var AdminHandler = (*Server).adminHandler
