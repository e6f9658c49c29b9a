// Package mongotest gives tests a store that speaks MongoDB's wire protocol: FerretDB on the shared PostgreSQL of pgtest, or the real
// MongoDB that MONGODB_URI names, for a second opinion. Every test gets a database of its own. Only tests import it.
package mongotest

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	driver "go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/x/mongo/driver/connstring"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedferret"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mongo"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
)

// URI returns the address of a new, empty database, which is dropped when the test ends. The package's TestMain calls pgtest.Main.
func URI(t testing.TB) string {
	t.Helper()
	suffix := make([]byte, 6)
	_, _ = rand.Read(suffix)
	name := "test_" + hex.EncodeToString(suffix)
	if address := os.Getenv("MONGODB_URI"); address != "" {
		uri := withDatabase(t, address, name)
		t.Cleanup(func() { drop(t, uri, name) })
		return uri
	}
	// A FerretDB starts in a millisecond, so every test has one; its PostgreSQL database goes with the test.
	server, err := embeddedferret.Start(embeddedferret.Options{PostgresURL: pgtest.EmptyDatabaseURL(t), SocketFolder: socketFolder(t)})
	if err != nil {
		t.Fatalf("start FerretDB: %v", err)
	}
	t.Cleanup(server.Stop)
	if err := server.IndexFields(t.Context(), name, mongo.Collection, mongo.FoundBy()...); err != nil {
		t.Fatalf("prepare FerretDB: %v", err)
	}
	return server.URI() + name
}

// Log opens an episode log on a database of URI, which it returns, too, and closes it when the test ends.
func Log(t testing.TB) (log *mongo.Log, uri string) {
	t.Helper()
	uri = URI(t)
	log, err := mongo.Open(mongo.Options{URI: uri, Embedded: true, Timeout: pgtest.Patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(log.Close)
	return log, uri
}

// Count returns the number of documents in the log at that address, asked of the store itself.
func Count(t testing.TB, uri string) int {
	t.Helper()
	address, err := connstring.Parse(uri)
	if err != nil {
		t.Fatal(err)
	}
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), pgtest.Patience)
	defer cancel()
	n, err := client.Database(cmp.Or(address.Database, mongo.DefaultDatabase)).Collection(mongo.Collection).CountDocuments(ctx, struct{}{})
	if err := errors.Join(err, client.Disconnect(ctx)); err != nil {
		t.Fatal(err)
	}
	return int(n)
}

// socketFolder has a short path: t.TempDir repeats the test's name, and a socket's path has at most 107 bytes.
func socketFolder(t testing.TB) string {
	t.Helper()
	folder, err := os.MkdirTemp("", "mongotest-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(filepath.Clean(folder)) })
	return folder
}

func withDatabase(t testing.TB, address, name string) string {
	t.Helper()
	scheme, rest, _ := strings.Cut(address, "://")
	hosts, query, _ := strings.Cut(rest, "?")
	hosts, _, _ = strings.Cut(hosts, "/")
	if query != "" {
		query = "?" + query
	}
	return scheme + "://" + hosts + "/" + url.PathEscape(name) + query
}

func drop(t testing.TB, uri, name string) {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	client, err := driver.Connect(options.Client().ApplyURI(uri))
	if err != nil {
		t.Error(err)
		return
	}
	if err := client.Database(name).Drop(ctx); err != nil {
		t.Error(err)
	}
	if err := client.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}
