// Command stores runs the server's embedded stores in a process of their own, so that the benchmarks can tell the server's CPU time from
// that of its databases, as in a deployment where they are other machines. It prints one JSON object with the variables that a server
// needs, then waits for its end by signal.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedferret"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
)

const (
	registryDatabase = "rlmaze"
	logDatabase      = "ferretdb"
	mlflowDatabase   = "mlflow"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "stores:", err)
		os.Exit(1)
	}
}

// run takes the data folder as its only argument.
func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 1 {
		return fmt.Errorf("want the data folder")
	}
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	database, err := embeddedpostgres.Start(ctx, embeddedpostgres.Options{
		DataDir:   arguments[0],
		Bin:       os.Getenv("POSTGRES_BIN"),
		Databases: []string{registryDatabase, logDatabase, mlflowDatabase},
		Logger:    logger,
	})
	if err != nil {
		return err
	}
	defer database.Stop()
	ferret, err := embeddedferret.Start(embeddedferret.Options{
		PostgresURL:  database.URL(logDatabase),
		SocketFolder: database.SocketFolder(),
		Logger:       logger,
	})
	if err != nil {
		return err
	}
	defer ferret.Stop()
	if err := json.NewEncoder(os.Stdout).Encode(map[string]string{
		"DATABASE_URL":        database.URL(registryDatabase),
		"MONGODB_URI":         ferret.URI(),
		"MLFLOW_DATABASE_URL": database.URL(mlflowDatabase),
	}); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}
