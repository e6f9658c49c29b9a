package mlflow_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/mlflow"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
	"github.com/rlmaze/rlmaze/server/internal/testing/mlflowtest"
)

func TestMain(m *testing.M) { mlflowtest.Main(m, func() error { return goleak.Find() }) }

func connect(t *testing.T, url string, preparations domain.Preparations) *mlflow.Client {
	t.Helper()
	c, err := mlflow.New(mlflow.Options{URL: url, Preparations: preparations, Timeout: measured.Patience})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

var noon = time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)

func TestAnExperimentAndItsRunsComeBackAsTheyWereLogged(t *testing.T) {
	s := mlflowtest.Shared(t)
	c := connect(t, s.URL, nil)
	id := s.Experiment(t, "quick")
	s.Post(t, "experiments/set-experiment-tag", map[string]any{"experiment_id": id, "key": "mlflow.note.content", "value": "What it is for."})
	run := s.Create(t, id, mlflowtest.Run{
		Name: "quick-1", StartedAt: noon, Params: map[string]string{"algorithm": "PPO", "ppo.learning_rate": "0.002"},
		Tags: map[string]string{domain.TagTrainingRun: "quick-1", domain.TagConfig: "name: quick\n", "mlflow.user": "somebody"},
		Metrics: []mlflowtest.Metric{
			{Key: "reward", Value: 0.25, Timestamp: noon.UnixMilli() + 1000, Step: 10}, {Key: "reward", Value: 0.5, Timestamp: noon.UnixMilli() + 2000, Step: 20},
			{Key: "loss", Value: "NaN", Timestamp: noon.UnixMilli() + 1000, Step: 10}, {Key: "large", Value: "Infinity", Timestamp: noon.UnixMilli(), Step: 1},
		},
	})

	experiments, err := c.ListExperiments(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(experiments, func(e domain.Experiment) bool { return e.ID == id })
	if at < 0 || !strings.HasPrefix(experiments[at].Name, "quick-") || experiments[at].Description != "What it is for." || time.Since(experiments[at].CreatedAt).Abs() > time.Hour {
		t.Errorf("listed %+v", experiments)
	}
	one, err := c.GetExperiment(t.Context(), id)
	if err != nil || !strings.HasPrefix(one.Name, "quick-") || one.Description == "" {
		t.Errorf("got %+v, %v", one, err)
	}
	r, err := c.GetRun(t.Context(), run)
	if err != nil {
		t.Fatal(err)
	}
	if r.ID != run || r.ExperimentID != id || r.Name != "quick-1" || r.State != domain.RunRunning || !r.StartedAt.Equal(noon) || !r.EndedAt.IsZero() ||
		r.Params["ppo.learning_rate"] != "0.002" || r.Tags[domain.TagConfig] != "name: quick\n" {
		t.Errorf("the run is %+v", r)
	}
	if shown := r.ShownTags(); len(shown) != 1 || shown[domain.TagTrainingRun] != "quick-1" {
		t.Errorf("it shows the tags %v", shown)
	}
	values := map[string]domain.Metric{}
	for _, m := range r.Metrics {
		values[m.Key] = m
	}
	if m := values["reward"]; m.Value != 0.5 || m.Step != 20 {
		t.Errorf("reward is %+v", m)
	}
	if m, known := values["loss"]; !known || !math.IsNaN(m.Value) {
		t.Errorf("loss is %+v", m)
	}
	if m := values["large"]; m.Value < math.MaxFloat64 {
		t.Errorf("large is %+v", m) // MLflow keeps the largest finite number in place of infinity
	}
	points, complete, err := c.MetricPoints(t.Context(), run, "reward")
	want := []domain.MetricPoint{{Step: 10, Value: 0.25, At: noon.Add(time.Second)}, {Step: 20, Value: 0.5, At: noon.Add(2 * time.Second)}}
	if err != nil || !complete || !slices.Equal(points, want) {
		t.Errorf("points %v, %v, %v", points, complete, err)
	}
	if points, complete, err := c.MetricPoints(t.Context(), run, "nothing"); err != nil || !complete || len(points) != 0 {
		t.Errorf("points of nothing: %v, %v, %v", points, complete, err)
	}
}

func TestRunsAreFilteredOrderedPagedAndCounted(t *testing.T) {
	s := mlflowtest.Shared(t)
	c := connect(t, s.URL, nil)
	id, empty := s.Experiment(t, "ordered"), s.Experiment(t, "empty")
	score := func(heldOut, validation any) []mlflowtest.Metric {
		var all []mlflowtest.Metric
		for key, value := range map[string]any{domain.MetricHeldOutSuccessRate: heldOut, domain.MetricValidationSuccessRate: validation} {
			if value != nil {
				all = append(all, mlflowtest.Metric{Key: key, Value: value, Timestamp: noon.UnixMilli(), Step: 1})
			}
		}
		return all
	}
	for i, metrics := range [][]mlflowtest.Metric{score(nil, nil), score(0.9, 0.5), score(0.99, 0.1), score(nil, 0.8), score(0.9, 0.6)} {
		s.Create(t, id, mlflowtest.Run{Name: fmt.Sprint("run-", i), StartedAt: noon.Add(time.Duration(i) * time.Minute), Metrics: metrics, Params: map[string]string{"algorithm": []string{"PPO", "DQN"}[i%2]}})
	}
	names := func(search domain.RunSearch) (found []string, next string) {
		t.Helper()
		search.ExperimentIDs = []string{id}
		runs, next, err := c.SearchRuns(t.Context(), search)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			found = append(found, r.Name)
		}
		return found, next
	}
	if got, _ := names(domain.RunSearch{PageSize: 50}); !slices.Equal(got, []string{"run-4", "run-3", "run-2", "run-1", "run-0"}) {
		t.Errorf("newest first: %v", got)
	}
	if got, _ := names(domain.RunSearch{PageSize: 50, Order: domain.RunsBestFirst}); !slices.Equal(got, []string{"run-2", "run-4", "run-1", "run-3", "run-0"}) {
		t.Errorf("best first: %v", got)
	}
	if got, _ := names(domain.RunSearch{PageSize: 50, Filter: "params.algorithm = 'PPO' and metrics.held_out_success_rate > 0.5"}); !slices.Equal(got, []string{"run-4", "run-2"}) {
		t.Errorf("filtered: %v", got)
	}
	first, next := names(domain.RunSearch{PageSize: 3})
	second, last := names(domain.RunSearch{PageSize: 3, PageToken: next})
	if len(first) != 3 || next == "" || len(second) != 2 || last != "" || second[0] != "run-1" {
		t.Errorf("pages %v and %v, tokens %q and %q", first, second, next, last)
	}
	counts, err := c.CountRuns(t.Context(), []string{id, empty})
	if err != nil || len(counts) != 1 || counts[id].Runs != 5 || !counts[id].Newest.Equal(noon.Add(4*time.Minute)) {
		t.Errorf("counted %v, %v", counts, err)
	}
	for field, search := range map[string]domain.RunSearch{
		"filter":     {ExperimentIDs: []string{id}, PageSize: 5, Filter: "this is no filter"},
		"page_token": {ExperimentIDs: []string{id}, PageSize: 5, PageToken: "no token"},
	} {
		_, _, err := c.SearchRuns(t.Context(), search)
		refused, ok := errors.AsType[*domain.Error](err)
		if !ok || refused.Code != domain.CodeInvalidArgument || refused.Field != field || len(refused.Message) < 40 || strings.Contains(refused.Message, "\n") {
			t.Errorf("%s: %v", field, err)
		}
	}
}

func TestWhatDoesNotExistIsNotFound(t *testing.T) {
	s := mlflowtest.Shared(t)
	c := connect(t, s.URL, nil)
	for _, id := range []string{"4711", "3000000000", strings.Repeat("9", 32)} {
		if _, err := c.GetExperiment(t.Context(), id); !errors.Is(err, domain.ErrExperimentUnknown) {
			t.Errorf("experiment %s: %v", id, err)
		}
	}
	if runs, next, err := c.SearchRuns(t.Context(), domain.RunSearch{ExperimentIDs: []string{"3000000000"}, PageSize: 5}); err != nil || len(runs) != 0 || next != "" {
		t.Errorf("runs of no experiment: %v, %q, %v", runs, next, err)
	}
	if _, err := c.GetRun(t.Context(), strings.Repeat("0", 32)); !errors.Is(err, domain.ErrRunUnknown) {
		t.Errorf("run: %v", err)
	}
}

func TestALongHistoryIsSampledByMLflow(t *testing.T) {
	s := mlflowtest.Shared(t)
	c := connect(t, s.URL, nil)
	const most = 3000
	c.ReadToTheEnd(most)
	id := s.Experiment(t, "long")
	for n, whole := range map[int]bool{most: true, most + 1: false} {
		metrics := make([]mlflowtest.Metric, n)
		for i := range metrics {
			metrics[i] = mlflowtest.Metric{Key: "reward", Value: float64(i), Timestamp: noon.UnixMilli() + int64(i), Step: int64(i)}
		}
		run := s.Create(t, id, mlflowtest.Run{Name: fmt.Sprint(n), StartedAt: noon, Metrics: metrics})
		points, complete, err := c.MetricPoints(t.Context(), run, "reward")
		if err != nil || complete != whole || whole && len(points) != n || len(points) < 2000 {
			t.Fatalf("%d points: %d, complete %v, %v", n, len(points), complete, err)
		}
		points = domain.FinitePoints(points)
		if first, last := points[0], points[len(points)-1]; first.Step != 0 || last.Step != int64(n-1) || last.Value != float64(n-1) {
			t.Errorf("%d points reach from %v to %v", n, first, last)
		}
	}
}

func TestALostRunIsSettled(t *testing.T) {
	s := mlflowtest.Shared(t)
	c := connect(t, s.URL, nil)
	id := s.Experiment(t, "settled")
	for state, want := range map[domain.TrainingState]domain.RunState{
		domain.TrainingFailed: domain.RunFailed, domain.TrainingStopped: domain.RunKilled, domain.TrainingCompleted: domain.RunFinished,
	} {
		run := s.Create(t, id, mlflowtest.Run{Name: string(state), StartedAt: noon})
		for range 2 { // again is harmless
			if err := c.SettleRun(t.Context(), run, state, strings.Repeat("its trainer does not answer ", 500)); err != nil {
				t.Fatal(err)
			}
		}
		r, err := c.GetRun(t.Context(), run)
		if err != nil || r.State != want || r.EndedAt.IsZero() || !strings.HasPrefix(r.Tags[domain.TagFailure], "its trainer does not answer") {
			t.Errorf("%s: %s, ended %v, %.40q, %v", state, r.State, r.EndedAt, r.Tags[domain.TagFailure], err)
		}
	}
	if err := c.SettleRun(t.Context(), strings.Repeat("0", 32), domain.TrainingFailed, "gone"); err != nil {
		t.Errorf("a run that MLflow does not know: %v", err)
	}
	deleted := s.Create(t, id, mlflowtest.Run{Name: "deleted", StartedAt: noon})
	s.Post(t, "runs/delete", map[string]any{"run_id": deleted})
	if err := c.SettleRun(t.Context(), deleted, domain.TrainingFailed, "gone"); err != nil {
		t.Errorf("a run that was deleted: %v", err)
	}
	if err := c.SettleRun(t.Context(), deleted, domain.TrainingRunning, ""); domain.CodeOf(err) != domain.CodeInternal {
		t.Errorf("a state that is not final: %v", err)
	}
}

// installing is what the installer says of MLflow.
type installing struct{ message string }

func (i installing) Preparation(service string) (domain.Preparation, bool) {
	half := 0.5
	return domain.Preparation{Message: i.message, Progress: &half}, service == "mlflow" && i.message != ""
}

func TestAnMLflowThatIsAwaySaysWhyAndNoAddress(t *testing.T) {
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	_ = closed.Close()
	answering := func(status int, body string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "http://elsewhere.example/")
			w.WriteHeader(status)
			_, _ = fmt.Fprint(w, body)
		}))
		t.Cleanup(server.Close)
		return server.URL
	}
	for name, c := range map[string]struct {
		url          string
		preparations domain.Preparations
		words        string
		state        domain.ServiceState
	}{
		"not configured":        {"", installing{"Installing MLflow"}, "name it in MLFLOW_TRACKING_URI", domain.ServiceNotConfigured},
		"refusing":              {"http://user:secret@" + closed.Addr().String(), installing{}, "does not answer; try again", domain.ServiceAway},
		"being installed":       {"http://" + closed.Addr().String(), installing{"Installing MLflow"}, "not ready yet: Installing MLflow", domain.ServicePreparing},
		"failing":               {answering(500, `{"error_code": "INTERNAL_ERROR", "message": "secret"}`), nil, "does not answer", domain.ServiceAway},
		"a web page":            {answering(200, "<html>hello</html>"), nil, "does not answer", domain.ServiceAway},
		"a redirect":            {answering(302, ""), nil, "does not answer", domain.ServiceAway},
		"a login":               {answering(401, "who are you"), nil, "check user and password in MLFLOW_TRACKING_URI", domain.ServiceAway},
		"something else's 404s": {answering(404, "404 page not found"), nil, "does not answer", domain.ServiceAway},
	} {
		t.Run(name, func(t *testing.T) {
			client := connect(t, c.url, c.preparations)
			_, err := client.ListExperiments(t.Context())
			away, ok := errors.AsType[*domain.Error](err)
			if !ok || !errors.Is(err, domain.ErrMLflowAway) || away.Code != domain.CodeUnavailable || !strings.Contains(away.Message, c.words) {
				t.Fatalf("got %v, want %q", err, c.words)
			}
			for _, hidden := range []string{"127.0.0.1", "secret", "elsewhere"} {
				if strings.Contains(away.Message, hidden) {
					t.Errorf("the message tells %q: %s", hidden, away.Message)
				}
			}
			s := client.ServiceStatuses()
			if len(s) != 1 || s[0].Name != "mlflow" || s[0].State != c.state || s[0].Message == "" || (s[0].Progress != nil) != (c.state == domain.ServicePreparing) {
				t.Errorf("the status is %+v", s)
			}
			err = client.SettleRun(t.Context(), strings.Repeat("0", 32), domain.TrainingFailed, "lost")
			if settled := err == nil; settled != (name == "not configured") || err != nil && domain.CodeOf(err) != domain.CodeUnavailable {
				t.Errorf("settling: %v", err)
			}
		})
	}
}

func TestASilentMLflowIsAwayAfterItsTime(t *testing.T) {
	silent := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-silent:
		case <-r.Context().Done():
		}
	}))
	defer server.Close()
	defer close(silent)
	c, err := mlflow.New(mlflow.Options{URL: server.URL, Timeout: 50 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	_, err = c.ListExperiments(t.Context())
	if away, ok := errors.AsType[*domain.Error](err); !ok || away.Code != domain.CodeUnavailable || !strings.Contains(away.Message, "too long") {
		t.Errorf("got %v", err)
	}
}

func TestWhoLeavesSaysNothingOfMLflow(t *testing.T) {
	asked := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // net/http sees who leaves only then
		close(asked)
		<-r.Context().Done()
	}))
	defer server.Close()
	c := connect(t, server.URL, nil)
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-asked
		cancel()
	}()
	if _, err := c.ListExperiments(ctx); !errors.Is(err, context.Canceled) || domain.CodeOf(err) == domain.CodeUnavailable {
		t.Errorf("got %v", err)
	}
}

func TestWatchingTellsOfEachChangeOnce(t *testing.T) {
	changes := make(chan bool, 8)
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	defer server.Close()
	c, err := mlflow.New(mlflow.Options{URL: server.URL, OnChange: func(up bool, _ error) { changes <- up }})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if s := c.ServiceStatuses()[0]; s.State != domain.ServiceAway {
		t.Errorf("before anybody asked it is %+v", s)
	}
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		c.Watch(ctx)
		close(ended)
	}()
	if up := <-changes; !up {
		t.Error("it was told to be away")
	}
	s := c.ServiceStatuses()[0]
	if s.State != domain.ServiceUp || s.Message != "" || time.Since(s.Since).Abs() > time.Minute {
		t.Errorf("it is %+v", s)
	}
	server.Close()
	if up := <-changes; up {
		t.Error("it was told to be up")
	}
	cancel()
	<-ended
	if len(changes) != 0 {
		t.Errorf("%d more changes were told", len(changes))
	}
}

func TestAWrongAddressNamesItsVariable(t *testing.T) {
	for _, url := range []string{"postgres://user:secret@host/db", "no address", "http://"} {
		if _, err := mlflow.New(mlflow.Options{URL: url}); err == nil || !strings.Contains(err.Error(), "MLFLOW_TRACKING_URI") || strings.Contains(err.Error(), "secret") {
			t.Errorf("%q: %v", url, err)
		}
	}
}
