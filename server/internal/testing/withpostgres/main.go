// Command withpostgres runs another command with DATABASE_URL naming a new, migrated PostgreSQL database, and ends with its status:
//
//	go run ./server/internal/testing/withpostgres sqlc vet
//
// The server behind it is an embedded one in a temporary folder; it is gone when the command has ended.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"syscall"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if len(os.Args) < 2 {
		fmt.Fprintln(os.Stderr, "usage: withpostgres command [argument…]")
		os.Exit(2)
	}
	if err := run(ctx, os.Args[1], os.Args[2:]...); err != nil {
		var status *exec.ExitError
		if errors.As(err, &status) {
			os.Exit(max(status.ExitCode(), 1))
		}
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, name string, args ...string) error {
	folder, err := os.MkdirTemp("", "withpostgres-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder) //nolint:errcheck // a temporary folder
	const database = "rlmaze"
	server, err := embeddedpostgres.Start(ctx, embeddedpostgres.Options{
		DataDir: folder, Bin: os.Getenv("POSTGRES_BIN"), Databases: []string{database}, Settings: []string{"fsync=off"},
	})
	if err != nil {
		return err
	}
	defer server.Stop()
	store, err := postgres.Open(ctx, postgres.Options{URL: server.URL(database)})
	if err != nil {
		return err
	}
	err = store.Migrate(ctx)
	store.Close()
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, name, args...)
	command.Env = append(os.Environ(), "DATABASE_URL="+server.URL(database))
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	command.Cancel = func() error { return command.Process.Signal(os.Interrupt) }
	return command.Run()
}
