// Package pgtest gives tests databases on a real PostgreSQL: one server per test process, one migrated database per test.
// Only tests import it.
package pgtest

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
)

// Patience is the timeout of stores in tests that are not about timeouts: a busy machine is no failure.
const Patience = time.Minute

const (
	empty    = "empty"
	migrated = "migrated"
	// timeZone differs from UTC, from the machine's, and from whole hours, so that a time that lost its zone shows.
	timeZone = "Asia/Kathmandu"
)

var shared struct {
	sync.Mutex
	folder string
	server *embeddedpostgres.Server
}

// Main runs the tests of a package and stops the server that they shared. check, when it is not nil, runs after that, only if all
// tests passed: goleak.Find looks there for goroutines that outlived even the server.
//
//	func TestMain(m *testing.M) { pgtest.Main(m, func() error { return goleak.Find() }) }
func Main(m *testing.M, check func() error) {
	code := m.Run()
	Stop()
	if code == 0 && check != nil {
		if err := check(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// Stop ends the shared server, if there is one. Main calls it; a TestMain of another shape does so itself.
func Stop() {
	shared.Lock()
	defer shared.Unlock()
	if shared.server == nil {
		return
	}
	shared.server.Stop()
	shared.server = nil
	_ = os.RemoveAll(shared.folder)
}

// DatabaseURL returns the address of a new database with the newest schema, which is dropped when the test ends.
func DatabaseURL(t testing.TB) string { return database(t, migrated) }

// EmptyDatabaseURL returns the address of a new database without any schema, which is dropped when the test ends.
func EmptyDatabaseURL(t testing.TB) string { return database(t, empty) }

// Store opens a store on a database of DatabaseURL, and closes it when the test ends.
func Store(t testing.TB) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), postgres.Options{URL: DatabaseURL(t), Embedded: true, Timeout: Patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// Server returns the shared server, started by the first call. Tests that kill one start their own.
func Server(t testing.TB) *embeddedpostgres.Server {
	t.Helper()
	server, err := serve()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	return server
}

func serve() (*embeddedpostgres.Server, error) {
	shared.Lock()
	defer shared.Unlock()
	if shared.server != nil {
		return shared.server, nil
	}
	folder, err := os.MkdirTemp("", "pgtest-")
	if err != nil {
		return nil, err
	}
	ctx := context.Background()
	server, err := embeddedpostgres.Start(ctx, embeddedpostgres.Options{
		DataDir:   folder,
		Bin:       os.Getenv("POSTGRES_BIN"),
		Databases: []string{empty, migrated},
		// Data of tests need not survive the machine.
		Settings: []string{"fsync=off", "synchronous_commit=off", "full_page_writes=off"},
	})
	if err != nil {
		_ = os.RemoveAll(folder)
		return nil, err
	}
	if err := prepare(ctx, server); err != nil {
		server.Stop()
		_ = os.RemoveAll(folder)
		return nil, err
	}
	shared.folder, shared.server = folder, server
	return server, nil
}

func prepare(ctx context.Context, server *embeddedpostgres.Server) error {
	connection, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		return err
	}
	defer connection.Close(ctx) //nolint:errcheck // nothing is left to lose
	if _, err := connection.Exec(ctx, "ALTER ROLE ALL SET timezone = '"+timeZone+"'"); err != nil {
		return err
	}
	store, err := postgres.Open(ctx, postgres.Options{URL: server.URL(migrated)})
	if err != nil {
		return err
	}
	defer store.Close()
	return store.Migrate(ctx)
}

func database(t testing.TB, template string) string {
	t.Helper()
	server := Server(t)
	suffix := make([]byte, 6)
	_, _ = rand.Read(suffix)
	name := "test_" + hex.EncodeToString(suffix)
	execute(t, server, "CREATE DATABASE "+name+" TEMPLATE "+template)
	t.Cleanup(func() { execute(t, server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)") })
	return server.URL(name)
}

func execute(t testing.TB, server *embeddedpostgres.Server, sql string) {
	t.Helper()
	ctx := context.Background() // the test's own is over when its clean-up runs
	connection, err := pgx.Connect(ctx, server.URL("postgres"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(ctx) //nolint:errcheck // nothing is left to lose
	if _, err := connection.Exec(ctx, sql); err != nil {
		t.Fatalf("%s: %v", sql, err)
	}
}
