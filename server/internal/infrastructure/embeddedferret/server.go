// Package embeddedferret runs FerretDB inside this process: the MongoDB wire protocol in front of a PostgreSQL database, so that the
// episode log speaks to the same driver on a laptop as on a cluster. It is not responsible for the PostgreSQL behind it.
package embeddedferret

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/FerretDB/FerretDB/ferretdb"
	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
)

// namespaceExists is MongoDB's code for a collection that is there already.
const namespaceExists = 48

// Options says where and with what a server runs.
type Options struct {
	// PostgresURL names the database that FerretDB keeps everything in; it must be its own, UTF8 encoded, with the C locale.
	PostgresURL string
	// SocketFolder gets the Unix socket. FerretDB asks nobody for a password: whoever may enter the folder may read and write.
	SocketFolder string
	// Logger gets FerretDB's warnings and errors, on level debug.
	Logger *slog.Logger
}

// Server is a running FerretDB. Its methods may be called by many goroutines at once.
type Server struct {
	postgresURL string
	socket      string
	cancel      context.CancelFunc
	done        chan struct{}
	once        sync.Once
}

// Start listens and returns. PostgreSQL is reached with the first request, so one that is down is no error here.
func Start(o Options) (*Server, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	address, err := url.Parse(o.PostgresURL)
	if err != nil {
		return nil, fmt.Errorf("parse FerretDB's PostgreSQL address: %w", err)
	}
	query := address.Query()
	// FerretDB's own default is 50 connections; the log has one writer and few readers.
	query.Set("pool_max_conns", "8")
	// FerretDB passes field names as parameters: only a plan for the values at hand can use the indexes of IndexFields.
	query.Set("plan_cache_mode", "force_custom_plan")
	address.RawQuery = query.Encode()

	socket := filepath.Join(o.SocketFolder, "mongodb.sock")
	// A socket that is there was left by a process that was killed: the folder belongs to this server.
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("remove a stale socket: %w", err)
	}
	// FerretDB leaves what it made open when it can't listen, and panics at a later collection: whether one can listen is tried first.
	probe, err := net.Listen("unix", socket)
	if err != nil {
		return nil, fmt.Errorf("listen for FerretDB: %w", err)
	}
	if err := probe.Close(); err != nil { // takes the socket away again
		return nil, fmt.Errorf("listen for FerretDB: %w", err)
	}
	ferret, err := construct(&ferretdb.Config{
		Listener:      ferretdb.ListenerConfig{Unix: socket},
		Logger:        slog.New(quiet{o.Logger.Handler()}),
		Handler:       "postgresql",
		PostgreSQLURL: address.String(),
	})
	if err != nil {
		return nil, fmt.Errorf("start FerretDB: %w", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	s := &Server{postgresURL: o.PostgresURL, socket: socket, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		// Run returns no error; it ends with its context.
		_ = ferret.Run(ctx)
	}()
	return s, nil
}

// constructing is held while an instance is made: FerretDB writes into a variable of its own package then.
var constructing sync.Mutex

func construct(config *ferretdb.Config) (*ferretdb.FerretDB, error) {
	constructing.Lock()
	defer constructing.Unlock()
	return ferretdb.New(config)
}

// URI returns the address for the MongoDB driver.
func (s *Server) URI() string { return "mongodb://" + url.PathEscape(s.socket) + "/" }

// IndexFields makes the collection when it is missing, and lets FerretDB find its documents by an equal text in one of the fields. FerretDB's own
// unique index serves inserts only: its filter asks whether the JSON value contains the text, which no B-tree answers, so a find reads the
// whole table (50 ms for 10,000 documents; 1 ms with this index). It may be called at every start.
func (s *Server) IndexFields(ctx context.Context, database, collection string, fields ...string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(s.URI()))
	if err != nil {
		return fmt.Errorf("connect to FerretDB: %w", err)
	}
	defer client.Disconnect(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to lose
	err = client.Database(database).CreateCollection(ctx, collection)
	if exists, ok := errors.AsType[mongo.ServerError](err); err != nil && (!ok || !exists.HasErrorCode(namespaceExists)) {
		return fmt.Errorf("create collection %s: %w", collection, err)
	}
	connection, err := pgx.Connect(ctx, s.postgresURL)
	if err != nil {
		return fmt.Errorf("connect to FerretDB's PostgreSQL: %w", err)
	}
	defer connection.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to lose
	// A MongoDB database is a schema there, and a table of FerretDB's says which table a collection is.
	var table string
	catalogue := pgx.Identifier{database, "_ferretdb_database_metadata"}.Sanitize()
	if err := connection.QueryRow(ctx, `SELECT _jsonb->>'table' FROM `+catalogue+` WHERE _jsonb->>'_id' = $1`, collection).Scan(&table); err != nil {
		return fmt.Errorf("find the table of collection %s: %w", collection, err)
	}
	for _, field := range fields {
		// Without CONCURRENTLY it locks the table against inserts; at a start nobody inserts yet.
		_, err = connection.Exec(ctx, `CREATE INDEX IF NOT EXISTS `+pgx.Identifier{table + "_find_" + strings.TrimPrefix(field, "_")}.Sanitize()+
			` ON `+pgx.Identifier{database, table}.Sanitize()+` USING gin ((_jsonb->'`+strings.ReplaceAll(field, "'", "''")+`') jsonb_path_ops)`)
		if err != nil {
			return fmt.Errorf("index collection %s by %s: %w", collection, field, err)
		}
	}
	return nil
}

// Stop closes listener and connections and waits until all is released. It may be called twice.
func (s *Server) Stop() {
	s.once.Do(s.cancel)
	<-s.done
	_ = os.Remove(s.socket)
}

// quiet passes warnings and errors on, as debug records: FerretDB calls every duplicate key an error and prints the document with it,
// while the caller gets the error and judges it. What is below is dropped before it is built, for FerretDB traces every statement.
type quiet struct{ slog.Handler }

func (h quiet) Enabled(ctx context.Context, level slog.Level) bool {
	return level >= slog.LevelWarn && h.Handler.Enabled(ctx, slog.LevelDebug)
}

func (h quiet) Handle(ctx context.Context, record slog.Record) error {
	record.Level = slog.LevelDebug
	return h.Handler.Handle(ctx, record)
}

func (h quiet) WithAttrs(attributes []slog.Attr) slog.Handler {
	return quiet{h.Handler.WithAttrs(attributes)}
}

func (h quiet) WithGroup(name string) slog.Handler { return quiet{h.Handler.WithGroup(name)} }
