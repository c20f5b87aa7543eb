package server_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// hangTime bounds how long a connection may stay open that sends too little: longer than the server's own bounds, even
// on a machine that others keep busy.
const hangTime = 2 * time.Minute

// speak writes bytes to a new connection and returns the answers until the server closes it or says nothing more.
func (a *attacker) speak(t *testing.T, text string) []reply {
	t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(a.site.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	connection.SetDeadline(time.Now().Add(hangTime))
	io.WriteString(connection, text) // the server may hang up before the end
	connection.(*net.TCPConn).CloseWrite()
	return readReplies(t, connection)
}

func readReplies(t *testing.T, connection net.Conn) []reply {
	t.Helper()
	var replies []reply
	for reader := bufio.NewReader(connection); ; {
		response, err := http.ReadResponse(reader, nil)
		if err != nil {
			if errors.Is(err, os.ErrDeadlineExceeded) {
				t.Error("the server keeps the connection open")
			}
			return replies
		}
		body, _ := io.ReadAll(response.Body)
		replies = append(replies, reply{response.StatusCode, response.Header, string(body)})
	}
}

// raw sends what no HTTP library would.
func (a *attacker) raw(t *testing.T) {
	const end = "\r\n\r\n"
	login := `{"username":"ada","password":"` + marker + `"}`
	for name, c := range map[string]struct {
		text string
		want []int // statuses that may come first; nil: the connection is closed without an answer
	}{
		"garbage":                   {marker + end, []int{400}},
		"TLS":                       {"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + end, []int{400}},
		"HTTP/2 without asking":     {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", []int{400, 404, 505}},
		"HTTP/9.9":                  {"GET /healthz HTTP/9.9\r\nHost: a" + end, []int{400, 505}},
		"HTTP/1.0":                  {"GET /healthz HTTP/1.0" + end, []int{200}},
		"HTTP/0.9":                  {"GET /healthz" + end, []int{400}},
		"tab in the request line":   {"GET\t/healthz\tHTTP/1.1\r\nHost: a" + end, []int{400}},
		"two spaces":                {"GET  /healthz HTTP/1.1\r\nHost: a" + end, []int{400}},
		"no path":                   {"GET HTTP/1.1\r\nHost: a" + end, []int{400}},
		"relative path":             {"GET " + marker + " HTTP/1.1\r\nHost: a" + end, []int{400}},
		"absolute form":             {"GET http://" + marker + ".example/.well-known/openid-configuration HTTP/1.1\r\nHost: a" + end, []int{200}},
		"absolute form, guarded":    {"GET http://a/v1/me HTTP/1.1\r\nHost: a" + end, []int{401}},
		"absolute form, other":      {"GET gopher://" + marker + "/v1/me HTTP/1.1\r\nHost: a" + end, []int{400, 401}},
		"authority form":            {"CONNECT " + marker + ".example:443 HTTP/1.1\r\nHost: a" + end, []int{404, 405}},
		"CONNECT to a route":        {"CONNECT /v1/me HTTP/1.1\r\nHost: a" + end, []int{400, 404, 405}},
		"asterisk":                  {"GET * HTTP/1.1\r\nHost: a" + end, []int{400, 404}},
		"broken escape":             {"GET /%zz" + marker + " HTTP/1.1\r\nHost: a" + end, []int{400}},
		"long path":                 {"GET /" + strings.Repeat("a", 200_000) + " HTTP/1.1\r\nHost: a" + end, []int{414, 431}},
		"no Host":                   {"GET /healthz HTTP/1.1" + end, []int{400}},
		"two Hosts":                 {"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: " + marker + end, []int{400}},
		"Host with a slash":         {"GET /healthz HTTP/1.1\r\nHost: a/" + marker + end, []int{400}},
		"Host with a space":         {"GET /healthz HTTP/1.1\r\nHost: a " + marker + end, []int{400}},
		"header without a colon":    {"GET /healthz HTTP/1.1\r\nHost: a\r\n" + marker + end, []int{400}},
		"space before the colon":    {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A : " + marker + end, []int{400}},
		"NUL in a header":           {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: \x00" + marker + end, []int{400}},
		"carriage return in it":     {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: b\r" + marker + end, []int{400}},
		"large header":              {"GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: " + strings.Repeat(marker, 50_000) + end, []int{431}},
		"100000 headers":            {"GET /healthz HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: y\r\n", 100_000) + "\r\n", []int{431}},
		"two lengths":               {post("/v1/login", "Content-Length: 5\r\nContent-Length: 6", "{}"), []int{400}},
		"negative length":           {post("/v1/login", "Content-Length: -1", "{}"), []int{400}},
		"length with a sign":        {post("/v1/login", "Content-Length: +2", "{}"), []int{400}},
		"length in hexadecimal":     {post("/v1/login", "Content-Length: 0x2", "{}"), []int{400}},
		"huge length":               {post("/v1/login", "Content-Length: 99999999999999999999", "{}"), []int{400}},
		"length of 1 TiB":           {post("/v1/login", "Content-Length: 1099511627776", "{}"), []int{413}},
		"short body":                {post("/v1/login", "Content-Length: 500", login), []int{400}},
		"unknown coding":            {post("/v1/login", "Transfer-Encoding: "+marker, "{}"), []int{400, 501}},
		"chunked twice":             {post("/v1/login", "Transfer-Encoding: chunked, chunked", "0\r\n\r\n"), []int{400, 501}},
		"two codings":               {post("/v1/login", "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "0\r\n\r\n"), []int{400, 501}},
		"coding after a tab":        {post("/v1/login", "Transfer-Encoding:\x0bchunked", "0\r\n\r\n"), []int{400, 501}},
		"chunked in HTTP/1.0":       {strings.Replace(post("/v1/login", "Transfer-Encoding: chunked", "0\r\n\r\n"), "1.1", "1.0", 1), []int{400, 501}},
		"chunk without a size":      {post("/v1/login", "Transfer-Encoding: chunked", marker+"\r\n"+end), []int{400}},
		"negative chunk":            {post("/v1/login", "Transfer-Encoding: chunked", "-1\r\n{}\r\n0"+end), []int{400}},
		"chunk that is too long":    {post("/v1/login", "Transfer-Encoding: chunked", "ffffffffffffffffff\r\n{}"), []int{400}},
		"chunk with a long comment": {post("/v1/login", "Transfer-Encoding: chunked", "2;"+strings.Repeat("a", 100_000)+"\r\n{}\r\n0"+end), []int{400}},
		"chunks without an end":     {post("/v1/login", "Transfer-Encoding: chunked", strings.Repeat("1\r\n \r\n", 1000)), []int{400}},
		"chunks of 10 MB":           {post("/v1/login", "Transfer-Encoding: chunked", strings.Repeat("400\r\n"+strings.Repeat(" ", 1024)+"\r\n", 10_000)), []int{413}},
		"trailer":                   {post("/v1/me", "Transfer-Encoding: chunked\r\nTrailer: Authorization", "0\r\nAuthorization: Bearer "+a.access+end), []int{405}},
		"expectation":               {post("/v1/login", "Expect: "+marker+"\r\nContent-Length: 2", "{}"), []int{417}},
		"expectation, large":        {post("/v1/login", "Expect: 100-continue\r\nContent-Length: 99999999", ""), []int{413}},
		"expectation, guarded":      {post("/admin/v1/clients", "Expect: 100-continue\r\nContent-Length: 2", ""), []int{401}}, // nobody asks for the body
		"upgrade":                   {"GET /v1/me HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket" + end, []int{401}},
		"bare newlines":             {"GET /v1/me HTTP/1.1\nHost: a\n\n", []int{400, 401}},
		"Connection: Authorization": {"GET /v1/me HTTP/1.1\r\nHost: a\r\nConnection: Authorization, close\r\nX-A: " + marker + end, []int{401}},
	} {
		t.Run(name, func(t *testing.T) {
			replies := a.speak(t, c.text)
			if len(replies) == 0 || !slices.Contains(c.want, replies[0].status) {
				t.Errorf("got %+v, want %v", replies, c.want)
			}
			for _, r := range replies {
				checkGeneric(t, name, r)
			}
		})
	}
	t.Run("smuggling", a.smuggling)
	t.Run("dripping", a.dripping)
}

func post(path, headers, body string) string {
	return "POST " + path + " HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n" + headers + "\r\n\r\n" + body
}

// smuggling: where two readings of a request differ, nothing behind it is taken for a request on the same connection,
// so that no proxy can be made to hand one's answer to another.
func (a *attacker) smuggling(t *testing.T) {
	hidden := "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
	for name, text := range map[string]string{
		"length and chunks":            post("/v1/login", "Content-Length: 4\r\nTransfer-Encoding: chunked", "0\r\n\r\n"+hidden),
		"chunks and length":            post("/v1/login", "Transfer-Encoding: chunked\r\nContent-Length: 5", "0\r\n\r\n"+hidden),
		"chunks that aren't":           post("/v1/login", "Content-Length: 2\r\nTransfer-Encoding: xchunked", "{}"+hidden),
		"two lengths":                  post("/v1/login", "Content-Length: 2\r\nContent-Length: 0", "{}"+hidden),
		"a list of lengths":            post("/v1/login", "Content-Length: 2, 0", "{}"+hidden),
		"folded coding":                post("/v1/login", "Content-Length: 2\r\nTransfer-Encoding:\r\n chunked", "0\r\n\r\n"+hidden),
		"space before colon":           post("/v1/login", "Content-Length: 2\r\nTransfer-Encoding : chunked", "{}"+hidden),
		"bare newline in a chunk size": post("/v1/login", "Transfer-Encoding: chunked", "2\n{}\r\n0\r\n\r\n"+hidden),
	} {
		if replies := a.speak(t, text); len(replies) != 1 || replies[0].status < 400 {
			t.Errorf("%s: %d answers: %+v", name, len(replies), replies)
		}
	}
}

// dripping: a client that sends a byte now and then loses its connection, whatever it drips.
func (a *attacker) dripping(t *testing.T) {
	var wait sync.WaitGroup
	defer wait.Wait()
	for _, text := range []string{"GET /v1/me HT", "GET /v1/me HTTP/1.1\r\nX-A: a", post("/v1/login", "Content-Length: 5000", "{"), post("/oauth2/token", "Transfer-Encoding: chunked", "1\r\n")} {
		wait.Go(func() { // ends with its connection
			connection, err := net.Dial("tcp", strings.TrimPrefix(a.site.url, "http://"))
			if err != nil {
				t.Error(err)
				return
			}
			defer connection.Close()
			connection.SetDeadline(time.Now().Add(hangTime))
			ended := make(chan struct{})
			go func() { // ends with the connection
				defer close(ended)
				readReplies(t, connection)
			}()
			io.WriteString(connection, text)
			for {
				select {
				case <-ended:
					return
				case <-time.After(200 * time.Millisecond):
					io.WriteString(connection, " ")
				}
			}
		})
	}
}
