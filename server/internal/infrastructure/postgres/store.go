// Package postgres keeps the model registry, evaluations, trainings and the server's secret in PostgreSQL, by queries that sqlc generates from db/.
// It is not responsible for starting a PostgreSQL (embeddedpostgres is) nor for what the statements mean to a use case.
package postgres

import (
	"cmp"
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/rlmaze/rlmaze/db"
	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	// defaultTimeout bounds one call from the outside: waiting for a connection, connecting, the statements. A store that is down must
	// answer "unavailable" within two seconds, and the caller has things to do besides.
	defaultTimeout = 1500 * time.Millisecond
	// connectTimeout leaves room for a second attempt within defaultTimeout.
	connectTimeout = 800 * time.Millisecond
	// maxConnections is small because the registry is read at the start and by people, never by steps of an episode.
	maxConnections = 8
)

// Store is a pool of connections to one PostgreSQL database. All its methods may be called by many goroutines at once.
type Store struct {
	pool     *pgxpool.Pool
	timeout  time.Duration
	embedded bool
}

var (
	_ domain.ModelRegistry   = (*Store)(nil)
	_ domain.EvaluationStore = (*Store)(nil)
	_ domain.Secrets         = (*Store)(nil)
	_ domain.TrainingStore   = (*Store)(nil)
	_ domain.StorePinger     = (*Store)(nil)
)

// Options says which database to use.
type Options struct {
	URL      string // as in DATABASE_URL
	Embedded bool   // whether this server started the PostgreSQL itself; only shown
	// Timeout bounds one call; 0 means 1.5 s. Tests of other things than timeouts take a long one, for machines that are busy.
	Timeout time.Duration
}

// Open parses the address and prepares the pool. It connects to nothing yet, so a database that is down is no error here.
// Settings of the address (pool_max_conns, connect_timeout, …) win over those of this package.
func Open(ctx context.Context, options Options) (*Store, error) {
	databaseURL, timeout := options.URL, cmp.Or(options.Timeout, defaultTimeout)
	config, err := pgxpool.ParseConfig(databaseURL)
	if err != nil {
		// The cause repeats the address, password removed by pgx; it goes to whoever starts the server.
		return nil, fmt.Errorf("parse DATABASE_URL: %w", err)
	}
	if !strings.Contains(databaseURL, "pool_max_conns") {
		config.MaxConns = maxConnections
	}
	// Half of a longer timeout, so that there is room for the second attempt as well.
	if longest := max(connectTimeout, timeout/2); config.ConnConfig.ConnectTimeout == 0 || config.ConnConfig.ConnectTimeout > longest {
		config.ConnConfig.ConnectTimeout = longest
	}
	params := config.ConnConfig.RuntimeParams
	if params["application_name"] == "" {
		params["application_name"] = "rlmaze"
	}
	// The server gives up by itself what the caller no longer waits for, so that a lost caller holds no lock.
	config.AfterConnect = func(ctx context.Context, c *pgx.Conn) error {
		_, err := c.Exec(ctx, `SELECT set_config('statement_timeout', $1, false), set_config('idle_in_transaction_session_timeout', $2, false)`,
			milliseconds(timeout), milliseconds(2*timeout))
		return err
	}
	pool, err := pgxpool.NewWithConfig(ctx, config)
	if err != nil {
		return nil, fmt.Errorf("open pool: %w", err)
	}
	return &Store{pool: pool, timeout: timeout, embedded: options.Embedded}, nil
}

// Close waits for running calls and closes all connections.
func (s *Store) Close() { s.pool.Close() }

// StoreName implements domain.StorePinger.
func (s *Store) StoreName() string { return "postgresql" }

// StoreEmbedded implements domain.StorePinger.
func (s *Store) StoreEmbedded() bool { return s.embedded }

// PingStore implements domain.StorePinger. The error is of CodeUnavailable.
func (s *Store) PingStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return translateError("ping", s.pool.Ping(ctx))
}

// Migrate brings the schema to the newest version. Instances that start at the same time wait for each other on an advisory lock
// of the session, so the address must not be a pooler that gives every statement another session.
func (s *Store) Migrate(ctx context.Context) error {
	provider, closeProvider, err := s.migrations()
	if err != nil {
		return err
	}
	defer closeProvider()
	if _, err := provider.Up(ctx); err != nil {
		return fmt.Errorf("migrate the database: %w", err)
	}
	return nil
}

// migrations opens connections of its own: migrations may take longer than a call, and hold a session.
func (s *Store) migrations() (*goose.Provider, func(), error) {
	// The lock is asked for once a second, for five minutes: another instance may be in the middle of a long migration.
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 300), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return nil, nil, fmt.Errorf("prepare migration lock: %w", err)
	}
	folder, err := fs.Sub(db.Migrations, "migrations")
	if err != nil {
		return nil, nil, fmt.Errorf("read migrations: %w", err)
	}
	config := s.pool.Config().ConnConfig
	// 10 s instead of connectTimeout: at the start there is nobody to answer in time.
	config.ConnectTimeout = 10 * time.Second
	sqlDB := stdlib.OpenDB(*config)
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, folder, goose.WithSessionLocker(locker))
	if err != nil {
		_ = sqlDB.Close()
		return nil, nil, fmt.Errorf("read migrations: %w", err)
	}
	return provider, func() { _ = sqlDB.Close() }, nil
}

// call runs one use of the database under the timeout and translates its error.
func (s *Store) call(ctx context.Context, what string, use func(ctx context.Context, q *sqlc.Queries) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return translateError(what, use(ctx, sqlc.New(s.pool)))
}

// transact is call inside one transaction.
func (s *Store) transact(ctx context.Context, what string, options pgx.TxOptions, use func(ctx context.Context, q *sqlc.Queries) error) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	return translateError(what, pgx.BeginTxFunc(ctx, s.pool, options, func(tx pgx.Tx) error {
		return use(ctx, sqlc.New(tx))
	}))
}

func milliseconds(d time.Duration) string { return strconv.FormatInt(d.Milliseconds(), 10) }
