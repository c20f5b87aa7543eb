package feed

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/jot-auth/jot/revocation"
	"github.com/jot-auth/jot/server/internal/web"
)

const (
	frameTimeout = 5 * time.Second // for writing one frame, at least
	deadlineStep = time.Second     // and at most so much more
	maxLag       = 256             // frames that a connection may be behind
)

// stream answers with the first frame and those after another one, and reports whether it goes on when the request is
// over: then it ends the visit itself. Over HTTP/1 it does. Of what net/http keeps for a request, two goroutines with
// their stacks and three buffers, a stream needs nothing, and there are thousands.
func (s *Server) stream(w http.ResponseWriter, r *http.Request, first firstFrame, after *frame, ended <-chan struct{}, v visit) (stays bool) {
	control := http.NewResponseController(w)
	if err := errors.Join(control.SetReadDeadline(time.Time{}), control.SetWriteDeadline(time.Time{})); err != nil {
		web.Fail(w, r, err) // the deadlines of the server would cut the stream
		return false
	}
	header := w.Header()
	header.Set("Content-Type", revocation.FrameType)
	header.Set("Cache-Control", "no-store")
	header.Set("X-Accel-Buffering", "no") // nginx: pass each frame on at once
	if r.ProtoMajor == 1 {
		header.Set("Connection", "close")           // a stream that ends leaves no idle connection behind
		header.Set("Transfer-Encoding", "identity") // its end is that of the connection, not that of chunks
	}
	to := &sender{outlet: response{w, control}}
	sent := to.send(first.data, false)
	first.sent()
	if !sent {
		return false
	}
	connection, ok := takeConnection(control, header)
	if !ok {
		s.follow(to, after, ended, r.Context().Done())
		return false
	}
	go s.keep(connection, after, ended, v)
	return true
}

// takeConnection reports whether a stream can leave its request. It can't over HTTP/2, where a ResponseWriter hides its
// connection, and where one that a program has put around ours encodes what is sent: what went past it would be no part
// of the answer any more.
func takeConnection(control *http.ResponseController, sent http.Header) (net.Conn, bool) {
	if sent.Get("Content-Encoding") != "" {
		return nil, false
	}
	connection, _, err := control.Hijack()
	return connection, err == nil
}

// keep follows the hub on a connection of its own, and ends as follow does; at the latest with the hub, or the write
// that is under way.
func (s *Server) keep(connection net.Conn, after *frame, ended <-chan struct{}, v visit) {
	defer v.end()
	defer connection.Close()
	s.follow(&sender{outlet: connection}, after, ended, nil)
}

// follow sends what comes after a frame. It ends when the client is gone or too slow, the hub ends the stream, or that
// has lived long enough. It holds no frame but the one that it has sent: each leads to all after it.
func (s *Server) follow(to *sender, at *frame, ended, gone <-chan struct{}) {
	life := time.NewTimer(streamLife)
	defer life.Stop()
	for ok := true; ok && s.hub.newest.Load()-at.number <= maxLag; {
		select {
		case <-at.ready:
			if isClosed(ended) { // before that frame was made: it isn't for this stream
				return
			}
		case <-ended:
			return
		case <-life.C:
			return
		case <-gone:
			return
		}
		at = at.next
		ok = to.send(at.data, isClosed(at.ready))
	}
}

// outlet is where frames go: a connection, or a response.
type outlet interface {
	io.Writer
	SetWriteDeadline(deadline time.Time) error
}

// response is an outlet with a buffer.
type response struct {
	http.ResponseWriter
	*http.ResponseController
}

// sender writes to one client.
type sender struct {
	outlet
	until time.Time // the deadline that is set
}

// send reports whether it could. Where more follows, it leaves that in the buffer. The deadline is moved now and then,
// which costs less than each time.
func (s *sender) send(data []byte, more bool) bool {
	var err error
	if now := time.Now(); s.until.Sub(now) < frameTimeout {
		s.until = now.Add(frameTimeout + deadlineStep)
		err = s.SetWriteDeadline(s.until)
	}
	if err == nil {
		_, err = s.Write(data)
	}
	if buffer, ok := s.outlet.(response); ok && err == nil && !more {
		err = buffer.Flush()
	}
	return err == nil
}

// isClosed reports whether a channel that carries nothing is closed.
func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
