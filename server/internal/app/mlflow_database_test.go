package app

import (
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"
)

func TestTheEmbeddedPostgreSQLHoldsADatabaseForMLflow(t *testing.T) {
	config := Config{DataDir: t.TempDir()}
	opened, err := openStores(t.Context(), config, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(config.DataDir, mlflowDatabaseFile)
	state, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if state.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", state.Mode().Perm())
	}
	url, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	connection, err := pgx.Connect(t.Context(), strings.TrimSpace(string(url)))
	if err != nil {
		t.Fatal(err)
	}
	var database string
	if err := connection.QueryRow(t.Context(), "SELECT current_database()").Scan(&database); err != nil || database != "mlflow" {
		t.Errorf("database %q, %v", database, err)
	}
	_ = connection.Close(t.Context())
	opened.close()
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the file outlives its PostgreSQL: %v", err)
	}
}

func TestAnAddressThatWasLeftBehindIsReplacedWhole(t *testing.T) {
	folder := t.TempDir()
	path := filepath.Join(folder, mlflowDatabaseFile)
	if err := os.WriteFile(path, []byte("postgres://an-earlier-start-that-was-killed\n"), 0o644); err != nil { //nolint:gosec // the wrong mode is the point
		t.Fatal(err)
	}
	if _, err := tellMLflowDatabase(folder, "postgres://now"); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil || string(content) != "postgres://now\n" {
		t.Fatalf("%q, %v", content, err)
	}
	if state, _ := os.Stat(path); state.Mode().Perm() != 0o600 {
		t.Errorf("mode %o, want 600", state.Mode().Perm())
	}
}
