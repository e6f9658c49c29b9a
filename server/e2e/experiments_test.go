package e2e

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"connectrpc.com/connect"

	experimentv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/experiment/v1/experimentv1connect"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/mlflowtest"
)

func experiments(base string) experimentv1connect.ExperimentServiceClient {
	return experimentv1connect.NewExperimentServiceClient(http.DefaultClient, base)
}

// mlflowStatus is what GetStatus tells of MLflow.
func mlflowStatus(t *testing.T, base string) *systemv1.ServiceStatus {
	t.Helper()
	status, err := system(base).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range status.GetServices() {
		if s.GetName() == "mlflow" {
			return s
		}
	}
	t.Fatalf("no mlflow among %v", status.GetServices())
	return nil
}

// trained is a run as the trainer's follower writes it.
func trained(name string, seed int, points int, started time.Time) mlflowtest.Run {
	r := mlflowtest.Run{
		Name: name, StartedAt: started,
		Params: map[string]string{"algorithm": "PPO", "seed": fmt.Sprint(seed), "ppo.learning_rate": "0.002"},
		Tags:   map[string]string{"rlmaze.training_run_id": name, "rlmaze.model_id": "quick-1", "rlmaze.config_yaml": "name: quick\nseed: " + fmt.Sprint(seed), "rlmaze.sweep": "seeds"},
	}
	for i := range points {
		at := started.UnixMilli() + int64(i)*500
		r.Metrics = append(r.Metrics, mlflowtest.Metric{Key: "reward", Value: float64(i), Timestamp: at, Step: int64(i) * 100}, mlflowtest.Metric{Key: "loss", Value: "NaN", Timestamp: at, Step: int64(i) * 100})
	}
	return r
}

// TestExperimentsAreReadFromMLflowOnBothListeners goes the whole way: Connect, use case, REST, MLflow, and back.
func TestExperimentsAreReadFromMLflowOnBothListeners(t *testing.T) {
	mlflow := mlflowtest.Shared(t)
	s := start(t, map[string]string{"MLFLOW_TRACKING_URI": mlflow.URL})
	began := time.Now().Add(time.Hour).Truncate(time.Millisecond).UTC() // newer than anything that MLflow knows of the experiment
	id := mlflow.Experiment(t, "quick")
	var ids []string
	for seed := range 3 {
		ids = append(ids, mlflow.Create(t, id, trained(fmt.Sprint("quick-", seed), seed, []int{40, 41, 0}[seed], began.Add(time.Duration(seed)*time.Minute))))
	}
	eventually(t, "MLflow is seen", func() bool { return mlflowStatus(t, s.public).GetState() == systemv1.ServiceState_SERVICE_STATE_UP })
	for _, base := range []string{s.public, s.private} {
		all, err := experiments(base).ListExperiments(t.Context(), &experimentv1.ListExperimentsRequest{})
		if err != nil {
			t.Fatal(err)
		}
		if first := all.GetExperiments()[0]; first.GetExperimentId() != id || first.GetRunCount() != 3 || !first.GetUpdatedAt().AsTime().Equal(began.Add(2*time.Minute)) {
			t.Errorf("the last changed experiment is %v", first)
		}
		one, err := experiments(base).GetExperiment(t.Context(), &experimentv1.GetExperimentRequest{ExperimentId: id})
		if err != nil || one.GetExperiment().GetRunCount() != 3 || !strings.HasPrefix(one.GetExperiment().GetName(), "quick") {
			t.Errorf("the experiment is %v, %v", one, err)
		}
	}
	client := experiments(s.public)
	page, err := client.ListRuns(t.Context(), &experimentv1.ListRunsRequest{ExperimentIds: []string{id}, PageSize: 2})
	if err != nil || len(page.GetRuns()) != 2 || page.GetNextPageToken() == "" || page.GetRuns()[0].GetRunId() != ids[2] || page.GetRuns()[1].GetConfigYaml() != "" {
		t.Fatalf("the page is %v, %v", page, err)
	}
	r := page.GetRuns()[1]
	if r.GetTrainingRunId() != "quick-1" || r.GetModelId() != "quick-1" || r.GetSweep() != "seeds" || r.GetState() != experimentv1.RunState_RUN_STATE_RUNNING || r.GetTags()["rlmaze.config_yaml"] != "" || r.GetParams()["seed"] != "1" {
		t.Errorf("the run is %v", r)
	}
	for _, m := range r.GetMetrics() {
		if (m.GetKey() == "loss") != (m.Value == nil) {
			t.Errorf("the metric is %v", m)
		}
	}
	if everywhere, err := client.ListRuns(t.Context(), &experimentv1.ListRunsRequest{Filter: fmt.Sprintf("tags.`rlmaze.training_run_id` = 'quick-0' and attributes.start_time >= %d", began.UnixMilli())}); err != nil || len(everywhere.GetRuns()) != 1 {
		t.Errorf("runs of all experiments: %v, %v", everywhere, err)
	}
	got, err := client.GetRun(t.Context(), &experimentv1.GetRunRequest{RunId: ids[0]})
	if err != nil || got.GetRun().GetConfigYaml() != "name: quick\nseed: 0" {
		t.Errorf("the run is %v, %v", got, err)
	}
	history, err := client.GetMetricHistory(t.Context(), &experimentv1.GetMetricHistoryRequest{RunId: ids[1], Key: "reward", MaxPoints: 21})
	h := history.GetHistory()
	if err != nil || len(h.GetSteps()) != 21 || len(h.GetValues()) != 21 || len(h.GetElapsedS()) != 21 || h.GetPoints() != 41 || h.GetSteps()[0] != 50 || h.GetValues()[0] != 0.5 || h.GetElapsedS()[0] != 0.25 ||
		h.GetSteps()[20] != 4000 || h.GetValues()[20] != 40 || h.GetElapsedS()[20] != 20 {
		t.Errorf("the history is %v, %v", h, err)
	}
	if none, err := client.GetMetricHistory(t.Context(), &experimentv1.GetMetricHistoryRequest{RunId: ids[1], Key: "loss"}); err != nil || len(none.GetHistory().GetSteps()) != 0 {
		t.Errorf("what is not finite: %v, %v", none, err)
	}
	compared, err := client.CompareRuns(t.Context(), &experimentv1.CompareRunsRequest{RunIds: []string{ids[1], ids[0], ids[2]}, MaxPoints: 10})
	if err != nil {
		t.Fatal(err)
	}
	if len(compared.GetRuns()) != 3 || compared.GetRuns()[0].GetRunId() != ids[1] || compared.GetRuns()[0].GetConfigYaml() == "" {
		t.Errorf("compared are %v", compared.GetRuns())
	}
	if h := compared.GetHistories(); len(h) != 2 || h[0].GetRunId() != ids[1] || h[0].GetKey() != "reward" || len(h[0].GetSteps()) != 10 || h[1].GetRunId() != ids[0] {
		t.Errorf("their histories are %v", h)
	}
	if d := compared.GetDifferences(); len(d) != 1 || d[0].GetKey() != "seed" || strings.Join(d[0].GetValues(), ",") != "1,0,2" {
		t.Errorf("they differ in %v", d)
	}

	unknown := strings.Repeat("0", 32)
	_, err = client.CompareRuns(t.Context(), &experimentv1.CompareRunsRequest{RunIds: []string{ids[0], unknown}})
	if field, _ := violation(err); connect.CodeOf(err) != connect.CodeNotFound || !strings.HasPrefix(field, "run_ids") || !strings.Contains(err.Error(), unknown) {
		t.Errorf("an unknown run: %s, %v", field, err)
	}
	for what, err := range map[string]error{
		"run":        call(client.GetRun(t.Context(), &experimentv1.GetRunRequest{RunId: unknown})),
		"history":    call(client.GetMetricHistory(t.Context(), &experimentv1.GetMetricHistoryRequest{RunId: unknown, Key: "reward"})),
		"experiment": call(client.GetExperiment(t.Context(), &experimentv1.GetExperimentRequest{ExperimentId: "987654"})),
	} {
		if connect.CodeOf(err) != connect.CodeNotFound {
			t.Errorf("an unknown %s: %v", what, err)
		}
	}
	for field, request := range map[string]*experimentv1.ListRunsRequest{
		"filter": {Filter: "nonsense"}, "page_token": {PageToken: "nonsense"}, "experiment_ids": {ExperimentIds: []string{"' or 1=1"}}, "page_size": {PageSize: 201}, "order": {Order: 9},
	} {
		_, err := client.ListRuns(t.Context(), request)
		if got, _ := violation(err); connect.CodeOf(err) != connect.CodeInvalidArgument || !strings.HasPrefix(got, field) {
			t.Errorf("%s: %s, %v", field, got, err)
		}
	}
}

func call[R any](_ R, err error) error { return err }

func TestWithoutMLflowExperimentsAreUnavailableAndEverythingElseGoesOn(t *testing.T) {
	for _, c := range []struct {
		base  string
		state systemv1.ServiceState
		words string
	}{
		{shared.public, systemv1.ServiceState_SERVICE_STATE_NOT_CONFIGURED, "MLFLOW_TRACKING_URI"},
		{start(t, map[string]string{"MLFLOW_TRACKING_URI": "http://user:secret@" + freePorts(t, 1)[0]}).public, systemv1.ServiceState_SERVICE_STATE_AWAY, "does not answer"},
	} {
		_, err := experiments(c.base).ListExperiments(t.Context(), &experimentv1.ListExperimentsRequest{})
		if connect.CodeOf(err) != connect.CodeUnavailable || !strings.Contains(err.Error(), c.words) || strings.Contains(err.Error(), "127.0.0.1") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%v: %v", c.state, err)
		}
		if got := mlflowStatus(t, c.base); got.GetState() != c.state || !strings.Contains(got.GetMessage(), c.words) || strings.Contains(got.GetMessage(), "127.0.0.1") {
			t.Errorf("%v: the status is %v", c.state, got)
		}
		if status, err := system(c.base).GetStatus(t.Context(), &systemv1.GetStatusRequest{}); err != nil || status.GetState() != systemv1.ServerState_SERVER_STATE_SERVING {
			t.Errorf("%v: the server is %v, %v", c.state, status.GetState(), err)
		}
	}
}
