package mlflow

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	countPage   = 1000   // runs of one page while they are counted: a page comes with everything that the runs have, some megabytes
	mostCounted = 10_000 // runs, of all experiments together
)

type run struct {
	Info struct {
		ID           string  `json:"run_id"`
		Name         string  `json:"run_name"`
		ExperimentID string  `json:"experiment_id"`
		Status       string  `json:"status"`
		Start        integer `json:"start_time"`
		End          integer `json:"end_time"`
	} `json:"info"`
	Data struct {
		Metrics []struct {
			Key   string  `json:"key"`
			Value number  `json:"value"`
			Step  integer `json:"step"`
		} `json:"metrics"`
		Params []pair `json:"params"`
		Tags   []pair `json:"tags"`
	} `json:"data"`
}

// states are MLflow's words for a run's state.
var states = map[string]domain.RunState{
	"SCHEDULED": domain.RunScheduled,
	"RUNNING":   domain.RunRunning,
	"FINISHED":  domain.RunFinished,
	"FAILED":    domain.RunFailed,
	"KILLED":    domain.RunKilled,
}

// orders are the sort orders in MLflow's language. It puts runs without a figure last.
var orders = map[domain.RunOrder][]string{
	domain.RunsNewestFirst: {"attributes.start_time DESC"},
	domain.RunsBestFirst: {
		"metrics." + domain.MetricHeldOutSuccessRate + " DESC", "metrics." + domain.MetricValidationSuccessRate + " DESC",
		"metrics." + domain.MetricValidationSPL + " DESC", "attributes.start_time DESC",
	},
}

// CountRuns implements domain.ExperimentTracker. MLflow counts nothing by itself: the runs are fetched, and only their heads read.
func (c *Client) CountRuns(ctx context.Context, experimentIDs []string) (map[string]domain.RunCount, error) {
	counts := map[string]domain.RunCount{}
	if len(experimentIDs) == 0 {
		return counts, nil
	}
	question := map[string]any{"experiment_ids": experimentIDs, "run_view_type": "ACTIVE_ONLY", "max_results": countPage, "order_by": orders[domain.RunsNewestFirst]}
	for counted := 0; counted < mostCounted; {
		var answer struct {
			Runs []struct {
				Info struct {
					ExperimentID string  `json:"experiment_id"`
					Start        integer `json:"start_time"`
				} `json:"info"`
			} `json:"runs"`
			Next string `json:"next_page_token"`
		}
		if err := c.post(ctx, "runs/search", question, &answer); err != nil {
			return nil, c.unexpected(err)
		}
		for _, r := range answer.Runs {
			count := counts[r.Info.ExperimentID]
			count.Runs++
			if started := r.Info.Start.time(); started.After(count.Newest) {
				count.Newest = started
			}
			counts[r.Info.ExperimentID] = count
		}
		if counted += len(answer.Runs); answer.Next == "" || len(answer.Runs) == 0 {
			break
		}
		question["page_token"] = answer.Next
	}
	return counts, nil
}

// SearchRuns implements domain.ExperimentTracker.
func (c *Client) SearchRuns(ctx context.Context, search domain.RunSearch) ([]domain.ExperimentRun, string, error) {
	if search.ExperimentIDs = slices.DeleteFunc(slices.Clone(search.ExperimentIDs), beyondIDs); len(search.ExperimentIDs) == 0 {
		return nil, "", nil
	}
	question := map[string]any{
		"experiment_ids": search.ExperimentIDs, "filter": search.Filter, "run_view_type": "ACTIVE_ONLY", "max_results": search.PageSize,
		"order_by": orders[search.Order], "page_token": search.PageToken,
	}
	var answer struct {
		Runs []run  `json:"runs"`
		Next string `json:"next_page_token"`
	}
	err := c.post(ctx, "runs/search", question, &answer)
	if said, ok := errors.AsType[*refused](err); ok {
		field, rule := "filter", "filter.not_understood"
		if strings.Contains(strings.ToLower(said.Words), "page token") || strings.Contains(said.Words, "page_token") {
			field, rule = "page_token", "page_token.unknown"
		}
		return nil, "", &domain.Error{Code: domain.CodeInvalidArgument, Field: field, Rule: rule, Message: "MLflow does not understand the " + field + ": " + said.words(), Cause: err}
	}
	if err != nil {
		return nil, "", err
	}
	runs := make([]domain.ExperimentRun, len(answer.Runs))
	for i, r := range answer.Runs {
		runs[i] = r.toDomain()
	}
	return runs, answer.Next, nil
}

// GetRun implements domain.ExperimentTracker.
func (c *Client) GetRun(ctx context.Context, id string) (domain.ExperimentRun, error) {
	var answer struct {
		Run run `json:"run"`
	}
	err := c.get(ctx, "runs/get", url.Values{"run_id": {id}}, &answer)
	if said, ok := errors.AsType[*refused](err); ok && said.unknown() {
		return domain.ExperimentRun{}, domain.ErrRunUnknown
	}
	return answer.Run.toDomain(), c.unexpected(err)
}

func (r run) toDomain() domain.ExperimentRun {
	found := domain.ExperimentRun{
		ID: r.Info.ID, ExperimentID: r.Info.ExperimentID, Name: r.Info.Name, State: states[r.Info.Status], StartedAt: r.Info.Start.time(), EndedAt: r.Info.End.time(),
		Params: make(map[string]string, len(r.Data.Params)), Tags: make(map[string]string, len(r.Data.Tags)),
	}
	for _, p := range r.Data.Params {
		found.Params[p.Key] = p.Value
	}
	for _, tag := range r.Data.Tags {
		found.Tags[tag.Key] = tag.Value
	}
	for _, m := range r.Data.Metrics {
		found.Metrics = append(found.Metrics, domain.Metric{Key: m.Key, Value: float64(m.Value), Step: int64(m.Step)})
	}
	return found
}

// statuses are MLflow's words for how a training ended.
var statuses = map[domain.TrainingState]string{
	domain.TrainingCompleted: "FINISHED",
	domain.TrainingStopped:   "KILLED",
	domain.TrainingFailed:    "FAILED",
}

// longestReason of a settled run, in characters; MLflow refuses tags beyond some thousands.
const longestReason = 1000

// SettleRun implements domain.RunSettler. The reason is written first: whoever sees the state finds it.
func (c *Client) SettleRun(ctx context.Context, mlflowRunID string, state domain.TrainingState, reason string) error {
	status, final := statuses[state]
	if !final {
		return &domain.Error{Code: domain.CodeInternal, Rule: "run.not_final", Message: "a run is settled in a final state only"}
	}
	if c.base == nil {
		return nil
	}
	if characters := []rune(reason); len(characters) > longestReason {
		reason = string(characters[:longestReason])
	}
	err := c.post(ctx, "runs/set-tag", map[string]any{"run_id": mlflowRunID, "key": domain.TagFailure, "value": reason}, &struct{}{})
	if err == nil {
		err = c.post(ctx, "runs/update", map[string]any{"run_id": mlflowRunID, "status": status, "end_time": c.health.now().UnixMilli()}, &struct{}{})
	}
	if said, ok := errors.AsType[*refused](err); ok && (said.unknown() || said.invalid()) { // invalid: it was deleted, which nobody has to settle
		return nil
	}
	return c.unexpected(err)
}

// invalid tells whether MLflow finds the question wrong.
func (r *refused) invalid() bool {
	return r.Code == "INVALID_PARAMETER_VALUE" || r.Code == "INVALID_STATE"
}

// unexpected turns a refusal that nothing in the question explains into one of an MLflow that is not what it should be.
func (c *Client) unexpected(err error) error {
	if said, ok := errors.AsType[*refused](err); ok {
		return domain.MLflowAway("MLflow refuses what the server asks: "+said.words(), err)
	}
	return err
}
