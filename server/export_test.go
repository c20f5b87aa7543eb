package server

import "time"

// Hurry shortens every bound, for tests that wait for it.
func (s *Server) Hurry(bound, end time.Duration) {
	s.bounds.header, s.bounds.read, s.bounds.idle, s.bounds.end = bound, bound, bound, end
}

// HurryAnswers shortens the bound on what a handler waits for.
func (s *Server) HurryAnswers(bound time.Duration) { s.bounds.answer = bound }

// EndLate ends the context of a request that takes longer.
var EndLate = endLate

// AdviseUnread says what to do about a witness that can't be read.
var AdviseUnread = adviseUnread

// AdminHandler is what answers on the admin listener.
var AdminHandler = (*Server).adminHandler
