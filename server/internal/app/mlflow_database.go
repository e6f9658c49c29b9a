package app

import (
	"fmt"
	"os"
	"path/filepath"
)

// mlflowDatabaseFile, below DATA_DIR, holds the address of MLflow's database on the embedded PostgreSQL, for as long as that runs: its
// socket may lie elsewhere the next time. MLflow is another program, started by `make run`, and waits for this file.
const mlflowDatabaseFile = "mlflow-database-url"

// tellMLflowDatabase writes the address, in one rename and readable by nobody else. forget takes it away again.
func tellMLflowDatabase(dataDir, url string) (forget func(), err error) {
	path := filepath.Join(dataDir, mlflowDatabaseFile)
	fresh := path + ".fresh"
	if err := os.WriteFile(fresh, []byte(url+"\n"), 0o600); err != nil {
		return nil, fmt.Errorf("write the address of MLflow's database: %w", err)
	}
	if err := os.Rename(fresh, path); err != nil {
		return nil, fmt.Errorf("write the address of MLflow's database: %w", err)
	}
	return func() { _ = os.Remove(path) }, nil
}
