package app

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// keepLogShort deletes, at the start and then every hour, what the episode log is no longer to keep. Without bounds nothing is started.
func (a *App) keepLogShort(background context.Context, pruner domain.EpisodePruner) {
	retention := usecase.LogRetention{Days: a.config.LogMaxDays, Episodes: int64(a.config.LogMaxEpisodes)}
	if retention == (usecase.LogRetention{}) {
		return
	}
	prune := &usecase.PruneLog{Pruner: pruner, Retention: retention, Now: time.Now}
	a.background.Go(func() {
		ticks := time.NewTicker(time.Hour)
		defer ticks.Stop()
		for {
			deleted, err := prune.Run(background)
			if deleted > 0 {
				a.logger.Info("old episodes were deleted", "episodes", deleted)
			}
			if err != nil && background.Err() == nil {
				a.logger.Warn("old episodes are not deleted yet", "cause", err)
			}
			select {
			case <-background.Done():
				return
			case <-ticks.C:
			}
		}
	})
}
