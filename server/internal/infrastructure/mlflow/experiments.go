package mlflow

import (
	"context"
	"errors"
	"net/url"
	"strconv"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// largestExperimentPage is what MLflow gives at once.
const largestExperimentPage = 1000

// descriptionTag is where MLflow keeps what people write about an experiment.
const descriptionTag = "mlflow.note.content"

type experiment struct {
	ID      string  `json:"experiment_id"`
	Name    string  `json:"name"`
	Created integer `json:"creation_time"`
	Updated integer `json:"last_update_time"`
	Tags    []pair  `json:"tags"`
}

type pair struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

// ListExperiments implements domain.ExperimentTracker.
func (c *Client) ListExperiments(ctx context.Context) ([]domain.Experiment, error) {
	var all []domain.Experiment
	question := map[string]any{"max_results": largestExperimentPage, "view_type": "ACTIVE_ONLY"}
	for {
		var answer struct {
			Experiments []experiment `json:"experiments"`
			Next        string       `json:"next_page_token"`
		}
		if err := c.post(ctx, "experiments/search", question, &answer); err != nil {
			return nil, c.unexpected(err)
		}
		for _, e := range answer.Experiments {
			all = append(all, e.toDomain())
		}
		if answer.Next == "" {
			return all, nil
		}
		question["page_token"] = answer.Next
	}
}

// GetExperiment implements domain.ExperimentTracker.
func (c *Client) GetExperiment(ctx context.Context, id string) (domain.Experiment, error) {
	if beyondIDs(id) {
		return domain.Experiment{}, domain.ErrExperimentUnknown
	}
	var answer struct {
		Experiment experiment `json:"experiment"`
	}
	err := c.get(ctx, "experiments/get", url.Values{"experiment_id": {id}}, &answer)
	if said, ok := errors.AsType[*refused](err); ok && said.unknown() {
		return domain.Experiment{}, domain.ErrExperimentUnknown
	}
	return answer.Experiment.toDomain(), c.unexpected(err)
}

// beyondIDs tells whether no experiment can have the id. They are numbers of 32 bits; MLflow breaks on larger ones.
func beyondIDs(id string) bool {
	_, err := strconv.ParseUint(id, 10, 31)
	return err != nil
}

func (e experiment) toDomain() domain.Experiment {
	found := domain.Experiment{ID: e.ID, Name: e.Name, CreatedAt: e.Created.time(), UpdatedAt: e.Updated.time()}
	for _, tag := range e.Tags {
		if tag.Key == descriptionTag {
			found.Description = tag.Value
		}
	}
	return found
}
