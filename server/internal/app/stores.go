package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedferret"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/embeddedpostgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mongo"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/spool"
)

// Databases of the embedded PostgreSQL: the registry's, the one behind the episode log, and MLflow's.
const (
	registryDatabase = "rlmaze"
	logDatabase      = "ferretdb"
	mlflowDatabase   = "mlflow"
)

// spoolFile, below DATA_DIR, bridges the time when the episode log is away.
const spoolFile = "spool/episodes"

// stores are all that keeps something, opened and ready to be used. Nothing outside of this file knows which of them are embedded.
type stores struct {
	registry    domain.ModelRegistry
	switches    domain.ActivationFeed
	evaluations domain.EvaluationStore
	trainings   domain.TrainingStore
	secrets     domain.Secrets
	log         domain.EpisodeLog
	tallies     domain.EpisodeTallies
	pruner      domain.EpisodePruner
	pingers     []domain.StorePinger
	spooled     func() int64
	prepare     func(context.Context) error // migrates; to be repeated until it succeeds
	summary     string                      // for the start line

	closers []func() // run last to first
}

func (s *stores) close() {
	for i := len(s.closers) - 1; i >= 0; i-- {
		s.closers[i]()
	}
}

// openStores starts the embedded stores that no address stands for, and opens all of them. An embedded store that does not start is an
// error; one that was named by an address may be down.
func openStores(ctx context.Context, config Config, logger *slog.Logger) (opened *stores, err error) {
	s := &stores{summary: "stores by address"}
	defer func() {
		if err != nil {
			s.close()
		}
	}()
	if err := os.MkdirAll(config.DataDir, 0o700); err != nil {
		return nil, fmt.Errorf("DATA_DIR: %w", err)
	}
	databaseURL, mongoURI := config.DatabaseURL, config.MongoURI
	if databaseURL == "" || mongoURI == "" {
		s.summary = "stores embedded in " + config.DataDir
		server, err := embeddedpostgres.Start(ctx, embeddedpostgres.Options{
			DataDir:   config.DataDir,
			Bin:       config.PostgresBin,
			Databases: []string{registryDatabase, logDatabase, mlflowDatabase},
			Logger:    logger,
		})
		if errors.Is(err, embeddedpostgres.ErrFolderInUse) {
			return nil, folderInUse(config.DataDir)
		}
		if err != nil {
			return nil, fmt.Errorf("start the embedded PostgreSQL: %w", err)
		}
		s.closers = append(s.closers, server.Stop)
		forget, err := tellMLflowDatabase(config.DataDir, server.URL(mlflowDatabase))
		if err != nil {
			return nil, err
		}
		s.closers = append(s.closers, forget)
		if databaseURL == "" {
			databaseURL = server.URL(registryDatabase)
		}
		if mongoURI == "" {
			ferret, err := embeddedferret.Start(embeddedferret.Options{PostgresURL: server.URL(logDatabase), SocketFolder: server.SocketFolder(), Logger: logger})
			if err != nil {
				return nil, fmt.Errorf("start the embedded MongoDB store: %w", err)
			}
			s.closers = append(s.closers, ferret.Stop)
			// Without the index the log is right all the same, only slow to find an episode.
			if err := ferret.IndexFields(ctx, mongo.DefaultDatabase, mongo.Collection, mongo.FoundBy()...); err != nil {
				logger.Warn("the episode log has no index", "error", err)
			}
			mongoURI = ferret.URI()
		}
	}
	registry, err := postgres.Open(ctx, postgres.Options{URL: databaseURL, Embedded: config.DatabaseURL == ""})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, registry.Close)
	s.registry, s.switches, s.evaluations, s.trainings, s.secrets, s.prepare = registry, registry, registry, registry, registry, registry.Migrate
	log, err := mongo.Open(mongo.Options{URI: mongoURI, Embedded: config.MongoURI == "", Logger: logger})
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, log.Close)
	spooling, err := spool.Open(spool.Options{Path: filepath.Join(config.DataDir, spoolFile), Store: log, Logger: logger})
	if errors.Is(err, spool.ErrFileInUse) {
		return nil, folderInUse(config.DataDir)
	}
	if err != nil {
		return nil, err
	}
	s.closers = append(s.closers, spooling.Close)
	s.log, s.tallies, s.pruner, s.spooled = spooling, log, log, spooling.Spooled
	s.pingers = []domain.StorePinger{registry, log}
	return s, nil
}

func folderInUse(folder string) error {
	return fmt.Errorf("DATA_DIR: another RL Maze runs on %s; end it, or set DATA_DIR to another folder", folder)
}
