package postgres_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/db"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
	"github.com/rlmaze/rlmaze/server/internal/testing/contract"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, func() error { return goleak.Find() }) }

func TestStoreKeepsTheRegistryContract(t *testing.T) {
	contract.RegistryContract(t, func(t *testing.T) domain.ModelRegistry { return pgtest.Store(t) })
}

func TestStoreKeepsTheEvaluationContract(t *testing.T) {
	contract.EvaluationContract(t, func(t *testing.T) (domain.EvaluationStore, func(context.Context, domain.Model) error) {
		store := pgtest.Store(t)
		return store, store.RegisterModel
	})
}

func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	store, err := postgres.Open(t.Context(), postgres.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func TestTheResumeSecretIsOneForAllInstancesAndStarts(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	secrets := make([][]byte, 8)
	failures := make([]error, len(secrets))
	var all sync.WaitGroup
	for i := range secrets {
		instance := open(t, url)
		all.Go(func() { secrets[i], failures[i] = instance.ResumeSecret(t.Context()) })
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	for _, secret := range secrets {
		if len(secret) != 32 || !bytes.Equal(secret, secrets[0]) {
			t.Fatalf("secrets differ: %x and %x", secret, secrets[0])
		}
	}
	if another, err := pgtest.Store(t).ResumeSecret(t.Context()); err != nil || bytes.Equal(another, secrets[0]) {
		t.Fatalf("another database has the same secret: %v", err)
	}
}

func TestTwoInstancesMigrateAtOnce(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabaseURL(t)
	failures := make([]error, 4)
	var all sync.WaitGroup
	for i := range failures {
		instance := open(t, url)
		all.Go(func() { failures[i] = instance.Migrate(t.Context()) })
	}
	all.Wait()
	if err := errors.Join(failures...); err != nil {
		t.Fatal(err)
	}
	if _, err := open(t, url).ListModels(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestMigrationsGoUpDownAndUpWithRows(t *testing.T) {
	t.Parallel()
	url := pgtest.EmptyDatabaseURL(t)
	config, err := pgx.ParseConfig(url)
	if err != nil {
		t.Fatal(err)
	}
	sqlDB := stdlib.OpenDB(*config)
	t.Cleanup(func() { _ = sqlDB.Close() })
	folder, err := fs.Sub(db.Migrations, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	provider, err := goose.NewProvider(goose.DialectPostgres, sqlDB, folder)
	if err != nil {
		t.Fatal(err)
	}
	fixtures, err := fs.Glob(db.Fixtures, "fixtures/*.sql")
	if err != nil {
		t.Fatal(err)
	}
	if migrations := provider.ListSources(); len(fixtures) != len(migrations) {
		t.Fatalf("%d migrations, %d fixtures: each migration has rows to be tried on", len(migrations), len(fixtures))
	}
	upWithRows := func() {
		for _, name := range fixtures {
			if _, err := provider.UpByOne(t.Context()); err != nil {
				t.Fatal(err)
			}
			rows, err := fs.ReadFile(db.Fixtures, name)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := sqlDB.ExecContext(t.Context(), string(rows)); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
		}
	}
	upWithRows()
	store := open(t, url)
	if models, err := store.ListModels(t.Context()); err != nil || len(models) != 4 {
		t.Fatalf("%d models, %v", len(models), err)
	}
	if active, err := store.ActiveModel(t.Context()); err != nil || active.ModelID != "ppo-memory-1" || active.PreviousModelID != "dqn-trail-2" {
		t.Fatalf("active %+v, %v", active, err)
	}
	if _, err := provider.DownTo(t.Context(), 0); err != nil {
		t.Fatal(err)
	}
	var left int
	if err := sqlDB.QueryRowContext(t.Context(), `
		SELECT (SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relname NOT LIKE 'goose%')
		     + (SELECT count(*) FROM pg_proc WHERE pronamespace = 'public'::regnamespace)`).Scan(&left); err != nil || left != 0 {
		t.Fatalf("%d objects are left after going down, %v", left, err)
	}
	upWithRows()
}

// TestTheDatabaseRefuses lists what no code can store, by the names of the constraints.
func TestTheDatabaseRefuses(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	connection := connect(t, url)
	for _, name := range []string{"fixtures/00001_models.sql", "fixtures/00002_server_secret.sql", "fixtures/00004_registered_model.sql", "fixtures/00005_evaluations.sql", "fixtures/00006_rolled_back.sql"} {
		rows, err := fs.ReadFile(db.Fixtures, name)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := connection.Exec(t.Context(), string(rows)); err != nil {
			t.Fatal(err)
		}
	}
	for statement, constraint := range map[string]string{
		`UPDATE activations SET reason = 'rewritten'`: "activations_append_only",
		`DELETE FROM activations`:                     "activations_append_only",
		`TRUNCATE activations CASCADE`:                "activations_append_only",
		`INSERT INTO activations (model_id, previous_model_id, reason) VALUES ('dqn-trail-2', 'dqn-trail-2', '')`:                                                                                                      "activations_changes_model",
		`INSERT INTO activations (model_id, reason) VALUES ('nobody-1', '')`:                                                                                                                                           "activations_has_model",
		`INSERT INTO activations (model_id, reason, undone_activation_id) SELECT 'dqn-trail-2', '', undone_activation_id FROM activations WHERE undone_activation_id > 0`:                                              "activations_undone_once",
		`INSERT INTO activations (model_id, reason, undone_activation_id) VALUES ('dqn-trail-2', '', 0)`:                                                                                                               "activations_has_undone",
		`INSERT INTO activations (model_id, reason, undone_activation_id) VALUES ('dqn-trail-2', '', 1000)`:                                                                                                            "activations_undoes_earlier",
		`INSERT INTO activations (model_id, reason, parity_vectors) VALUES ('dqn-trail-2', '', 5)`:                                                                                                                     "activations_parity_is_whole",
		`INSERT INTO activations (model_id, reason, parity_vectors, parity_deviation) VALUES ('dqn-trail-2', '', 5, 'NaN')`:                                                                                            "activations_parity_was_measured",
		`INSERT INTO activations (model_id, previous_model_id, reason, set_id) VALUES ('dqn-trail-2', 'ppo-memory-1', '', 'heldout')`:                                                                                  "activations_success_is_whole",
		`INSERT INTO activations (model_id, reason, set_id, set_hash, episodes, successes, previous_episodes, previous_successes) VALUES ('dqn-trail-2', '', 'a', 'b', 1, 1, 1, 1)`:                                    "activations_success_has_previous",
		`INSERT INTO activations (model_id, previous_model_id, reason, set_id, set_hash, episodes, successes, previous_episodes, previous_successes) VALUES ('dqn-trail-2', 'ppo-memory-1', '', 'a', 'b', 1, 2, 1, 1)`: "activations_success_was_measured",
		`INSERT INTO active_model (model_id, activation_id) SELECT model_id, activation_id FROM activations LIMIT 1`:                                                                                                   "active_model_one_row",
		`INSERT INTO active_model SELECT false, model_id, activation_id FROM active_model`:                                                                                                                             "active_model_no_second_row",
		`UPDATE active_model SET model_id = 'cut-short-1'`:                                                                                                                                                             "active_model_is_ready",
		`UPDATE active_model SET model_id = 'dqn-trail-2'`:                                                                                                                                                             "active_model_has_activation",
		`DELETE FROM models WHERE model_id = 'ppo-memory-1'`:                                                                                                                                                           "activations_has_model",
		`UPDATE models SET state = 'ready', state_reason = '' WHERE state = 'broken'`:                                                                                                                                  "models_ready_has_algorithm",
		`UPDATE models SET state = 'broken'`:       "models_broken_has_reason",
		`UPDATE models SET state = 'away'`:         "models_state_is_known",
		`UPDATE models SET sha256 = upper(sha256)`: "models_ready_has_hash",
		`UPDATE models SET version = 3`:            "models_ready_is_named",
		`UPDATE models SET origin = 'bought'`:      "models_origin_is_known",
		`UPDATE models SET model_id = 'quick-2', name = 'quick', origin = 'registered', sha256 = repeat('0c', 32) WHERE model_id = 'dqn-trail-2'`: "models_registered_file_once",
		`UPDATE models SET seed = -1`:                                         "models_seed_is_unsigned",
		`UPDATE model_success SET successes = 1001`:                           "model_success_not_above_episodes",
		`UPDATE model_success SET spl = 'NaN'`:                                "model_success_spl_is_share",
		`UPDATE model_success SET mean_steps = 'NaN'`:                         "model_success_mean_steps_not_negative",
		`INSERT INTO server_secret (secret) SELECT secret FROM server_secret`: "server_secret_one_row",
		`UPDATE server_secret SET secret = 'short'`:                           "server_secret_is_32_bytes",

		`UPDATE evaluations SET model_id = NULL, model_sha256 = '', baseline = 'random' WHERE baseline IS NULL`: "evaluations_one_row_per_policy_and_set",
		`UPDATE evaluations SET model_id = 'nobody-1' WHERE model_id IS NOT NULL`:                               "evaluations_has_model",
		`UPDATE evaluations SET baseline = 'random' WHERE model_id IS NOT NULL`:                                 "evaluations_one_policy",
		`UPDATE evaluations SET baseline = 'clever' WHERE baseline IS NOT NULL`:                                 "evaluations_baseline_is_known",
		`UPDATE evaluations SET model_sha256 = '' WHERE model_id IS NOT NULL`:                                   "evaluations_model_has_hash",
		`UPDATE evaluations SET failed_positions = array_fill(0, ARRAY[101])`:                                   "evaluations_failed_positions_are_few",
		`UPDATE evaluations SET failed_positions = '{-1}'`:                                                      "evaluations_failed_positions_not_negative",
		`UPDATE evaluations SET mean_step_us = 'NaN'`:                                                           "evaluations_mean_step_us_not_negative",
		`UPDATE evaluations SET p95_step_us = -1`:                                                               "evaluations_p95_step_us_not_negative",
		`UPDATE evaluation_groups SET difficulty = 0`:                                                           "evaluation_groups_difficulty_is_known",
		`UPDATE evaluation_groups SET maze_rows = 101`:                                                          "evaluation_groups_size_in_range",
		`UPDATE evaluation_groups SET successes = episodes + 1`:                                                 "evaluation_groups_successes_not_above_episodes",
		`UPDATE evaluation_groups SET episodes = 0, successes = 0, spl_sum = 0`:                                 "evaluation_groups_was_measured",
		`UPDATE evaluation_groups SET bumps = steps + 1`:                                                        "evaluation_groups_bumps_not_above_steps",
		`UPDATE evaluation_groups SET revisits = steps + 1`:                                                     "evaluation_groups_revisits_not_above_steps",
		`UPDATE evaluation_groups SET steps = 1, bumps = 0, revisits = 0`:                                       "evaluation_groups_steps_not_below_episodes",
		`UPDATE evaluation_groups SET spl_sum = 'NaN'`:                                                          "evaluation_groups_spl_not_above_successes",
		`UPDATE evaluation_groups SET evaluation_id = -evaluation_id`:                                           "evaluation_groups_has_evaluation",
	} {
		_, err := connection.Exec(t.Context(), statement)
		var pgErr *pgconn.PgError
		if !errors.As(err, &pgErr) || pgErr.ConstraintName != constraint {
			t.Errorf("%s: %v, want %s", statement, err, constraint)
		}
	}
}

func TestADatabaseThatIsDownIsUnavailableWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	// Takes connections and never answers, like a frozen machine.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = silent.Close() })
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	for name, address := range map[string]string{"silent": silent.Addr().String(), "refusing": closed.Addr().String()} {
		t.Run(name, func(t *testing.T) {
			store := open(t, "postgres://u@"+address+"/db?sslmode=disable")
			start := time.Now()
			_, err := store.ListModels(t.Context())
			if domain.CodeOf(err) != domain.CodeUnavailable {
				t.Errorf("list: %v", err)
			}
			if took := time.Since(start); took > measured.Limit(2*time.Second) {
				t.Errorf("took %v", took)
			}
			if err := store.PingStore(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
				t.Errorf("ping: %v", err)
			}
			e, ok := errors.AsType[*domain.Error](err)
			if !ok || strings.Contains(e.Message, "127.0.0.1") {
				t.Errorf("the message shows the address: %v", err)
			}
		})
	}
}

func TestALockedTableIsUnavailableWithinTwoSeconds(t *testing.T) {
	t.Parallel()
	url := pgtest.DatabaseURL(t)
	blocker := connect(t, url)
	if _, err := blocker.Exec(t.Context(), "BEGIN; LOCK TABLE models"); err != nil {
		t.Fatal(err)
	}
	start := time.Now()
	_, err := open(t, url).ListModels(t.Context())
	if domain.CodeOf(err) != domain.CodeUnavailable || time.Since(start) > measured.Limit(2*time.Second) {
		t.Fatalf("%v after %v", err, time.Since(start))
	}
}

// A server whose database was away at its start asks it before the migrations have run.
func TestADatabaseThatIsNotMigratedYetIsUnavailable(t *testing.T) {
	t.Parallel()
	store := open(t, pgtest.EmptyDatabaseURL(t))
	if _, err := store.ListModels(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("list: %v", err)
	}
	if _, err := store.ResumeSecret(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("secret: %v", err)
	}
}

func TestTheStoreWorksAgainAfterPostgreSQLWasRestarted(t *testing.T) {
	t.Parallel()
	options := embeddedpostgres.Options{DataDir: t.TempDir(), Databases: []string{"rlmaze"}}
	server, err := embeddedpostgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	store := open(t, server.URL("rlmaze"))
	if err := store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := store.RegisterModel(t.Context(), contract.ReadyModel("m", 1)); err != nil {
		t.Fatal(err)
	}
	server.Stop()
	if _, err := store.ListModels(t.Context()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Fatalf("list while stopped: %v", err)
	}
	again, err := embeddedpostgres.Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(again.Stop)
	// Closed before the server stops: clean-ups run last in, first out.
	t.Cleanup(store.Close)
	if models, err := store.ListModels(t.Context()); err != nil || len(models) != 1 {
		t.Fatalf("list after the restart: %v, %v", models, err)
	}
	if err := store.PingStore(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func TestAWrongAddressNamesItsVariable(t *testing.T) {
	t.Parallel()
	if _, err := postgres.Open(t.Context(), postgres.Options{URL: "postgres://u:secret@host:notaport/db"}); err == nil || !strings.Contains(err.Error(), "DATABASE_URL") || strings.Contains(err.Error(), "secret") {
		t.Fatalf("open: %v", err)
	}
}

func TestQueriesNameTheirArgumentsAndExplainThemselves(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../../../../db/queries/*.sql")
	if err != nil || len(files) == 0 {
		t.Fatalf("no queries: %v", err)
	}
	header := regexp.MustCompile(`(?m)^-- name: (\S+) :\w+\n(-- )?`)
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if regexp.MustCompile(`\$\d`).Match(content) {
			t.Errorf("%s: an argument has a number for a name", file)
		}
		for _, match := range header.FindAllSubmatch(content, -1) {
			if len(match[2]) == 0 {
				t.Errorf("%s: %s does not say who calls it and why", file, match[1])
			}
		}
	}
}
