package usecase

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// LogRetention says what the log keeps; it holds by whole days (UTC). The zero value keeps everything.
type LogRetention struct {
	Days     int   // today among them; 0 is any number
	Episodes int64 // 0 is any number. The first day with which there would be more goes too, but today stays however many it has
}

// PruneLog deletes what the log is no longer to keep.
type PruneLog struct {
	Pruner    domain.EpisodePruner
	Retention LogRetention
	Now       func() time.Time
}

// Run walks through the days, backwards, and says how many episodes it deleted, also when it fails. Two servers may do it at the same time.
// Errors: CodeUnavailable; what is left is for the next run.
func (u *PruneLog) Run(ctx context.Context) (deleted int64, err error) {
	if u.Retention == (LogRetention{}) {
		return 0, nil
	}
	today := u.Now().UTC().Truncate(day)
	var kept int64
	full := false
	for ago := 0; ; ago++ {
		at := today.Add(-time.Duration(ago) * day)
		if at.Before(logBegins) {
			return deleted, nil
		}
		tooOld := u.Retention.Days > 0 && ago >= u.Retention.Days
		if !tooOld && !full && u.Retention.Episodes > 0 {
			n, err := u.Pruner.CountEpisodes(ctx, at)
			if err != nil {
				return deleted, err
			}
			kept += n
			full = ago > 0 && kept > u.Retention.Episodes
		}
		if tooOld || full {
			n, err := u.Pruner.DeleteEpisodes(ctx, at)
			if deleted += n; err != nil {
				return deleted, err
			}
		}
	}
}
