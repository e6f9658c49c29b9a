package usecase

import (
	"cmp"
	"context"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetRun returns one run with its configuration.
type GetRun struct {
	Tracker domain.ExperimentTracker
	Configs TrainingConfigs
}

// TrainingConfigs finds the configuration of a training; domain.TrainingStore does, of every training that this server has seen.
type TrainingConfigs interface {
	GetTraining(ctx context.Context, runID string) (domain.Training, error)
}

// ConfiguredRun is a run with its configuration; empty when it has none.
type ConfiguredRun struct {
	domain.ExperimentRun
	ConfigYAML string
}

// Run returns ErrRunUnknown or ErrMLflowAway.
func (u *GetRun) Run(ctx context.Context, id string) (ConfiguredRun, error) {
	r, err := u.Tracker.GetRun(ctx, id)
	if err != nil {
		return ConfiguredRun{}, err
	}
	return configured(ctx, r, u.Configs), nil
}

// configured finds the configuration. MLflow cuts or refuses long tags, so the training's own record goes first; without it, or while the database
// is away, the tag is as good.
func configured(ctx context.Context, r domain.ExperimentRun, configs TrainingConfigs) ConfiguredRun {
	tag := r.Tags[domain.TagConfig]
	if id := r.Tags[domain.TagTrainingRun]; id != "" && configs != nil {
		if t, err := configs.GetTraining(ctx, id); err == nil {
			return ConfiguredRun{ExperimentRun: r, ConfigYAML: cmp.Or(t.ConfigYAML, tag)}
		}
	}
	return ConfiguredRun{ExperimentRun: r, ConfigYAML: tag}
}
