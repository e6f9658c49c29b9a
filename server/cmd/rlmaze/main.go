// Command rlmaze is the server of RL Maze. Everything it needs to know comes from the environment; server/.env.example lists it.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"github.com/caarlos0/env/v11"

	"github.com/rlmaze/rlmaze/server/internal/app"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnxtrial"
)

func main() {
	onnxtrial.ServeIfChild() // started by a server to try a network that somebody sent
	if err := run(); err != nil {
		fmt.Fprintf(os.Stderr, "rlmaze: %v\n", err)
		os.Exit(1)
	}
}

// gcPercent lets the heap grow to five times what lives, some 20 MB in an idle server: a quarter of the collector's CPU for some 80 MB more under load.
const gcPercent = 400

func run() error {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(gcPercent)
	}
	config, err := app.ReadConfig(env.ToMap(os.Environ()))
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop) // A second signal ends the program at once.
	a, err := app.New(ctx, config, app.NewLogger(config, os.Stderr))
	if err != nil {
		return err
	}
	return a.Run(ctx)
}
