package app

import (
	"io"
	"log/slog"
	"os"
	"time"

	"github.com/lmittmann/tint"
)

// NewLogger returns the logger that the configuration asks for: tint for people, JSON for machines.
func NewLogger(config Config, to io.Writer) *slog.Logger {
	level, err := config.level()
	if err != nil {
		level = slog.LevelInfo // ReadConfig has refused it
	}
	terminal := isTerminal(to)
	if config.LogFormat == "tint" || config.LogFormat == "auto" && terminal {
		return slog.New(tint.NewTextHandler(to, &tint.Options{Level: level, TimeFormat: time.TimeOnly, NoColor: !terminal && config.LogFormat != "tint" || os.Getenv("NO_COLOR") != ""}))
	}
	return slog.New(slog.NewJSONHandler(to, &slog.HandlerOptions{Level: level}))
}

func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	state, err := file.Stat()
	return err == nil && state.Mode()&os.ModeCharDevice != 0
}
