package usecase

import (
	"context"
	"errors"
	"reflect"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func TestOnlyParametersThatDifferAreDifferences(t *testing.T) {
	run := func(params map[string]string) ConfiguredRun {
		return ConfiguredRun{ExperimentRun: domain.ExperimentRun{Params: params}}
	}
	got := differences([]ConfiguredRun{
		run(map[string]string{"algorithm": "PPO", "seed": "1", "ppo.clip": "0.2"}),
		run(map[string]string{"algorithm": "PPO", "seed": "2"}),
	})
	want := []ParamDifference{{Key: "ppo.clip", Values: []string{"0.2", ""}}, {Key: "seed", Values: []string{"1", "2"}}}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	if got := differences([]ConfiguredRun{run(map[string]string{"seed": "1"})}); got != nil {
		t.Errorf("a run differs from itself in %v", got)
	}
}

func TestTheFirstFailureEndsTheOthersAndIsTold(t *testing.T) {
	failure := errors.New("first")
	err := allOf(t.Context(), 5, func(ctx context.Context, i int) error {
		if i == 3 {
			return failure
		}
		<-ctx.Done() // ends with the failure
		return ctx.Err()
	})
	if !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
	if err := allOf(t.Context(), 5, func(context.Context, int) error { return nil }); err != nil {
		t.Errorf("without a failure: %v", err)
	}
}

// lostTrainings is a database that is away, or knows one training.
type lostTrainings struct{ training *domain.Training }

func (l lostTrainings) GetTraining(context.Context, string) (domain.Training, error) {
	if l.training == nil {
		return domain.Training{}, errDown
	}
	return *l.training, nil
}

func TestTheTrainingsOwnConfigurationGoesBeforeTheTag(t *testing.T) {
	r := domain.ExperimentRun{Tags: map[string]string{domain.TagTrainingRun: "quick-1", domain.TagConfig: "cut short"}}
	for want, configs := range map[string]TrainingConfigs{
		"whole":     lostTrainings{&domain.Training{ConfigYAML: "whole"}},
		"cut short": lostTrainings{},
	} {
		if got := configured(t.Context(), r, configs).ConfigYAML; got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
	if got := configured(t.Context(), r, nil).ConfigYAML; got != "cut short" {
		t.Errorf("without trainings: %q", got)
	}
}
