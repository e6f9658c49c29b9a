package httpapi

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// Of connections beyond the limit so many are answered at one time; more than that are closed without a word.
const (
	refusedAtOnce = 64
	refusalLimit  = time.Second // for one refused connection to ask and to read the answer
)

const tooManyConnections = "too many open connections; close some, or try again in a moment"

// LimitConnections bounds the connections that are open on a listener, whatever they do. One beyond gets an answer that says so, 429 in
// HTTP/1.1 and a GOAWAY in HTTP/2, and is closed; the others are not held up.
func LimitConnections(l net.Listener, most int) net.Listener {
	return &limitedListener{Listener: l, open: make(chan struct{}, most), refusing: make(chan struct{}, refusedAtOnce)}
}

type limitedListener struct {
	net.Listener
	open     chan struct{} // holds one token for each connection
	refusing chan struct{} // likewise, for each one that is being refused
	refusals sync.WaitGroup
}

// Accept returns the next connection that there is room for.
func (l *limitedListener) Accept() (net.Conn, error) {
	for {
		conn, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		select {
		case l.open <- struct{}{}:
			return &limitedConn{Conn: conn, open: l.open}, nil
		default:
			l.refuse(conn)
		}
	}
}

// Close also waits for the refusals that are under way, a second at most.
func (l *limitedListener) Close() error {
	err := l.Listener.Close()
	l.refusals.Wait()
	return err
}

func (l *limitedListener) refuse(conn net.Conn) {
	select {
	case l.refusing <- struct{}{}:
	default:
		_ = conn.Close()
		return
	}
	l.refusals.Go(func() {
		defer func() { <-l.refusing }()
		defer func() { _ = conn.Close() }()
		answerRefusal(conn)
	})
}

// answerRefusal reads what was asked first: who closes a connection with unread bytes resets it, and the answer would be lost.
func answerRefusal(conn net.Conn) {
	if conn.SetDeadline(time.Now().Add(refusalLimit)) != nil {
		return
	}
	asked := make([]byte, 4<<10)
	n, err := conn.Read(asked)
	if err != nil {
		return
	}
	answer := fmt.Appendf(nil, "HTTP/1.1 429 Too Many Requests\r\nConnection: close\r\nRetry-After: 1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(refusalBody), refusalBody)
	if bytes.HasPrefix(asked[:n], []byte("PRI * HTTP/2.0")) {
		answer = goAway(tooManyConnections)
	}
	if _, err := conn.Write(answer); err != nil {
		return
	}
	if half, ok := conn.(interface{ CloseWrite() error }); ok {
		_ = half.CloseWrite()
		for err == nil { // until the other side has closed as well
			_, err = conn.Read(asked)
		}
	}
}

// refusalBody is an error as Connect's unary calls have it.
const refusalBody = `{"code":"resource_exhausted","message":"` + tooManyConnections + `"}`

// goAway is an empty SETTINGS frame, with which HTTP/2 begins, and a GOAWAY of ENHANCE_YOUR_CALM.
func goAway(message string) []byte {
	const settings, goAwayType, enhanceYourCalm = 4, 7, 11
	frame := []byte{0, 0, 0, settings, 0, 0, 0, 0, 0}
	frame = append(frame, 0, 0, byte(8+len(message)), goAwayType, 0, 0, 0, 0, 0)
	frame = append(frame, 0, 0, 0, 0) // no stream was taken
	frame = binary.BigEndian.AppendUint32(frame, enhanceYourCalm)
	return append(frame, message...)
}

// limitedConn gives its place back when it is closed.
type limitedConn struct {
	net.Conn
	open   chan struct{}
	closed atomic.Bool
}

func (c *limitedConn) Close() error {
	err := c.Conn.Close()
	if !c.closed.Swap(true) {
		<-c.open
	}
	return err
}

// CloseWrite lets net/http end a connection so that the last answer is not lost.
func (c *limitedConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return nil
}
