package embeddedferret

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startPostgres(t *testing.T, folder string) *embeddedpostgres.Server {
	t.Helper()
	server, err := embeddedpostgres.Start(t.Context(), embeddedpostgres.Options{DataDir: folder, Databases: []string{"ferretdb"}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

func start(t *testing.T, postgres *embeddedpostgres.Server) *Server {
	t.Helper()
	server, err := Start(Options{PostgresURL: postgres.URL("ferretdb"), SocketFolder: postgres.SocketFolder()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

func connect(t *testing.T, server *Server) *mongo.Collection {
	t.Helper()
	client, err := mongo.Connect(options.Client().ApplyURI(server.URI()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = client.Disconnect(context.Background()) })
	return client.Database("test").Collection("episodes")
}

func TestDocumentsSurviveARestartOfBothServers(t *testing.T) {
	folder := t.TempDir()
	postgres := startPostgres(t, folder)
	server := start(t, postgres)
	if _, err := connect(t, server).InsertOne(t.Context(), bson.M{"_id": "kept"}); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	server.Stop()
	postgres.Stop()
	again := connect(t, start(t, startPostgres(t, folder)))
	if n, err := again.CountDocuments(t.Context(), bson.M{"_id": "kept"}); err != nil || n != 1 {
		t.Fatalf("%d documents are left of 1, %v", n, err)
	}
	if _, err := again.InsertOne(t.Context(), bson.M{"_id": "kept"}); !mongo.IsDuplicateKeyError(err) {
		t.Fatalf("a second insert: %v", err)
	}
}

func TestASocketThatAKilledServerLeftIsNoObstacle(t *testing.T) {
	postgres := startPostgres(t, t.TempDir())
	if err := os.WriteFile(filepath.Join(postgres.SocketFolder(), "mongodb.sock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := connect(t, start(t, postgres)).InsertOne(t.Context(), bson.M{"_id": "kept"}); err != nil {
		t.Fatal(err)
	}
}

func TestAFindByAnIndexedFieldUsesItsIndex(t *testing.T) {
	postgres := startPostgres(t, t.TempDir())
	server := start(t, postgres)
	for range 2 {
		if err := server.IndexFields(t.Context(), "test", "episodes", "_id", "day"); err != nil {
			t.Fatal(err)
		}
	}
	episodes := connect(t, server)
	documents := make([]any, 500)
	for i := range documents {
		documents[i] = bson.M{"_id": fmt.Sprint("id-", i), "day": fmt.Sprint("day-", i/4), "filling": strings.Repeat("x", 1000)}
	}
	if _, err := episodes.InsertMany(t.Context(), documents); err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		var found bson.M
		if err := episodes.FindOne(t.Context(), bson.M{"_id": fmt.Sprint("id-", i)}).Decode(&found); err != nil {
			t.Fatal(err)
		}
	}
	if n, err := episodes.CountDocuments(t.Context(), bson.M{"day": "day-7", "filling": strings.Repeat("x", 1000)}); err != nil || n != 4 {
		t.Fatalf("%d documents of the day, %v", n, err)
	}
	connection, err := pgx.Connect(t.Context(), postgres.URL("ferretdb"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close(context.Background()) //nolint:errcheck // nothing is left to lose
	// FerretDB's sessions report what they used a little later.
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(100 * time.Millisecond) {
		var used int
		if err := connection.QueryRow(t.Context(), `SELECT min(idx_scan) FROM pg_stat_user_indexes WHERE indexrelname LIKE '%_find_id' OR indexrelname LIKE '%_find_day'`).Scan(&used); err != nil {
			t.Fatal(err)
		}
		if used > 0 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("an index was not used")
		}
	}
}

func TestStartNeedsNoPostgreSQLButRequestsDo(t *testing.T) {
	postgres := startPostgres(t, t.TempDir())
	server := start(t, postgres)
	postgres.Stop()
	episodes := connect(t, server)
	if _, err := episodes.InsertOne(t.Context(), bson.M{"_id": "lost"}); err == nil {
		t.Fatal("an insert without PostgreSQL succeeded")
	}
}

func TestServersStartSideBySide(t *testing.T) {
	postgres := startPostgres(t, t.TempDir())
	var starting sync.WaitGroup
	for range 3 {
		folder := t.TempDir()
		starting.Go(func() {
			server, err := Start(Options{PostgresURL: postgres.URL("ferretdb"), SocketFolder: folder})
			if err != nil {
				t.Error(err)
				return
			}
			t.Cleanup(server.Stop)
			if err := connect(t, server).Database().Client().Ping(t.Context(), nil); err != nil {
				t.Error(err)
			}
		})
	}
	starting.Wait()
}

func TestAWrongFolderIsAnError(t *testing.T) {
	if _, err := Start(Options{PostgresURL: "postgres://u@/db?host=/tmp", SocketFolder: filepath.Join(t.TempDir(), "absent")}); err == nil {
		t.Fatal("start succeeded")
	}
	// What FerretDB leaves open panics when it is collected, which it is when this is.
	collected := make(chan struct{})
	runtime.SetFinalizer(new([64]byte), func(*[64]byte) { close(collected) })
	for range 2 {
		runtime.GC()
	}
	<-collected
}
