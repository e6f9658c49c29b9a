package e2e

import (
	"io"
	"net"
	"net/url"
	"path/filepath"
	"sync"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedferret"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mongo"
)

// storeSockets are the Unix sockets of real stores that the test runs itself, so that it can stand between them and the server.
type storeSockets struct {
	postgres, mongo string
	databaseURL     string
	mongoURI        string
}

func ownStores(t *testing.T) storeSockets {
	t.Helper()
	pg, err := embeddedpostgres.Start(t.Context(), embeddedpostgres.Options{DataDir: tempData(t), Databases: []string{"rlmaze", "ferretdb"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(pg.Stop)
	ferret, err := embeddedferret.Start(embeddedferret.Options{PostgresURL: pg.URL("ferretdb"), SocketFolder: pg.SocketFolder()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(ferret.Stop)
	address, err := url.Parse(pg.URL("rlmaze"))
	if err != nil {
		t.Fatal(err)
	}
	return storeSockets{
		postgres:    filepath.Join(address.Query().Get("host"), ".s.PGSQL."+address.Query().Get("port")),
		mongo:       filepath.Join(pg.SocketFolder(), "mongodb.sock"),
		databaseURL: pg.URL("rlmaze"),
		mongoURI:    ferret.URI(),
	}
}

// log opens the episode log past the relay.
func (s storeSockets) log(t *testing.T) *mongo.Log {
	t.Helper()
	l, err := mongo.Open(mongo.Options{URI: s.mongoURI})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// cable relays a TCP port to a store's socket and can be cut: then nobody listens and every connection is closed.
type cable struct {
	socket string
	at     string

	mu       sync.Mutex
	listener net.Listener
	ends     map[net.Conn]bool
	copying  sync.WaitGroup
}

func relay(t *testing.T, socket string) *cable {
	t.Helper()
	c := &cable{socket: socket, at: "127.0.0.1:0", ends: map[net.Conn]bool{}}
	c.mend(t)
	t.Cleanup(c.cut)
	return c
}

func (c *cable) address() string { return c.at }

func (c *cable) mend(t *testing.T) {
	t.Helper()
	listener, err := net.Listen("tcp", c.at)
	if err != nil {
		t.Fatal(err)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.listener, c.at = listener, listener.Addr().String()
	c.copying.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			store, err := net.Dial("unix", c.socket)
			if err != nil {
				_ = client.Close()
				continue
			}
			c.mu.Lock()
			c.ends[client], c.ends[store] = true, true
			c.mu.Unlock()
			for from, to := range map[net.Conn]net.Conn{client: store, store: client} {
				c.copying.Go(func() {
					_, _ = io.Copy(to, from) // ends with either side
					_ = to.Close()
					_ = from.Close()
				})
			}
		}
	})
}

func (c *cable) cut() {
	c.mu.Lock()
	if c.listener != nil {
		_ = c.listener.Close()
	}
	for end := range c.ends {
		_ = end.Close()
	}
	c.listener, c.ends = nil, map[net.Conn]bool{}
	c.mu.Unlock()
	c.copying.Wait()
}
