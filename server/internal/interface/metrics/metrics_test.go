package metrics_test

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"go.yaml.in/yaml/v3"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/interface/metrics"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// everything is a server of which every metric has a row.
func everything() metrics.Sources {
	steps := &usecase.StepHistogram{}
	steps.Record(900 * time.Nanosecond)
	steps.Record(5 * time.Microsecond)
	steps.Record(time.Hour)
	return metrics.Sources{
		Status: func(context.Context) usecase.Status {
			return usecase.Status{
				StartedAt: time.Unix(1_790_000_000, 0), ActiveModelID: "ppo-memory-3", LiveStreams: 3, TrainingViewers: 2, EpisodesStarted: 9, EpisodesFinished: 7, GoalsReached: 5,
				SpooledEpisodes: 4, ModelSwitches: 1,
				Stores: []usecase.StoreStatus{{Name: "postgresql", Up: true, Latency: time.Millisecond}, {Name: "mongodb"}},
				Services: []domain.ServiceStatus{
					{Name: "trainer", State: domain.ServiceUp}, {Name: "trainer-2", State: domain.ServicePreparing}, {Name: "mlflow", State: domain.ServiceNotConfigured},
				},
			}
		},
		Ready: func() bool { return true },
		Steps: steps,
		Inference: func() metrics.Inference {
			return metrics.Inference{Sizes: map[float64]uint64{1: 6, 2: 7}, Calls: 8, Rows: 72, Times: map[float64]uint64{1e-6: 1}, Timed: 2, Duration: 5 * time.Microsecond}
		},
		Limits: []string{"requests", "streams"}, Version: "0.1.0", Revision: "abc", ContractVersion: 4,
	}
}

func scrape(t *testing.T, m *metrics.Metrics) (text string, families map[string]*dto.MetricFamily) {
	t.Helper()
	recorder := httptest.NewRecorder()
	m.Handler().ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body, err := io.ReadAll(recorder.Result().Body)
	if err != nil || recorder.Code != http.StatusOK {
		t.Fatalf("status %d, %v: %s", recorder.Code, err, body)
	}
	parser := expfmt.NewTextParser(model.UTF8Validation)
	if families, err = parser.TextToMetricFamilies(strings.NewReader(string(body))); err != nil {
		t.Fatal(err)
	}
	return string(body), families
}

func TestTheMetricsSayWhatTheServerDoes(t *testing.T) {
	m := metrics.New(everything())
	m.Request("/rlmaze.model.v1.ModelService/ListModels", "ok", 3*time.Millisecond)
	m.Request("other", "unimplemented", time.Millisecond)
	m.Limited("streams")
	text, _ := scrape(t, m)
	for _, line := range []string{
		`rlmaze_requests_total{code="ok",procedure="/rlmaze.model.v1.ModelService/ListModels"} 1`,
		`rlmaze_requests_total{code="unimplemented",procedure="other"} 1`,
		`rlmaze_request_duration_seconds_bucket{procedure="other",le="0.001"} 1`,
		`rlmaze_build_info{contract_version="4",revision="abc",version="0.1.0"} 1`,
		`rlmaze_ready 1`,
		`rlmaze_limited_total{limit="requests"} 0`,
		`rlmaze_limited_total{limit="streams"} 1`,
		`rlmaze_streams_open{kind="episode"} 3`,
		`rlmaze_streams_open{kind="training"} 2`,
		`rlmaze_episodes_started_total 9`,
		`rlmaze_episodes_ended_total{outcome="reached_goal"} 5`,
		`rlmaze_episodes_ended_total{outcome="step_limit"} 2`,
		`rlmaze_spooled_episodes 4`,
		`rlmaze_model_switches_total 1`,
		`rlmaze_active_model_info{model_id="ppo-memory-3"} 1`,
		`rlmaze_store_up{store="postgresql"} 1`,
		`rlmaze_store_up{store="mongodb"} 0`,
		`rlmaze_service_up{service="trainer"} 1`,
		`rlmaze_service_up{service="trainer-2"} 0`,
		`rlmaze_step_duration_seconds_bucket{le="1.024e-06"} 1`,
		`rlmaze_step_duration_seconds_bucket{le="8.192e-06"} 2`,
		`rlmaze_step_duration_seconds_bucket{le="+Inf"} 3`,
		`rlmaze_step_duration_seconds_count 3`,
		`rlmaze_inference_rows_bucket{le="2"} 7`,
		`rlmaze_inference_rows_sum 72`,
		`rlmaze_inference_duration_seconds_count 2`,
	} {
		if !strings.Contains(text, "\n"+line+"\n") {
			t.Errorf("the line is missing: %s", line)
		}
	}
	if strings.Contains(text, `service="mlflow"`) {
		t.Error("a service that is not configured has a row")
	}
}

func TestAServerWithoutAModelHasNoActiveOne(t *testing.T) {
	sources := everything()
	sources.Status = func(context.Context) usecase.Status { return usecase.Status{} }
	sources.Ready = func() bool { return false }
	text, families := scrape(t, metrics.New(sources))
	if families["rlmaze_active_model_info"] != nil || !strings.Contains(text, "\nrlmaze_ready 0\n") {
		t.Error("it shows an active model, or says that it is ready")
	}
}

// ops is the folder of what operators load into their own tools.
const ops = "../../../../ops"

// exported are the names under which Prometheus keeps what the server exports.
func exported(t *testing.T) map[string]bool {
	t.Helper()
	m := metrics.New(everything())
	m.Request("other", "ok", time.Millisecond)
	_, families := scrape(t, m)
	names := map[string]bool{"up": true} // Prometheus' own
	for name, family := range families {
		if family.GetType() == dto.MetricType_HISTOGRAM {
			names[name+"_bucket"], names[name+"_sum"], names[name+"_count"] = true, true, true
			continue
		}
		names[name] = true
	}
	return names
}

var metricName = regexp.MustCompile(`\b(?:rlmaze|go|process|promhttp)_[a-z0-9_]+\b|\bup\b`)

// checkExpressions requires every metric of the expressions to be exported, and each expression to name one.
func checkExpressions(t *testing.T, where string, expressions []string) {
	t.Helper()
	names := exported(t)
	for _, expression := range expressions {
		named := metricName.FindAllString(expression, -1)
		if len(named) == 0 {
			t.Errorf("%s: no metric is named in %q", where, expression)
		}
		for _, name := range named {
			if !names[name] {
				t.Errorf("%s names %s, which the server does not export: %q", where, name, expression)
			}
		}
	}
}

func TestEveryAlertStandsOnMetricsThatAreExported(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(ops, "prometheus", "alerts.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert       string            `yaml:"alert"`
				Expr        string            `yaml:"expr"`
				For         model.Duration    `yaml:"for"`
				Labels      map[string]string `yaml:"labels"`
				Annotations map[string]string `yaml:"annotations"`
			} `yaml:"rules"`
		} `yaml:"groups"`
	}
	if err := yaml.Unmarshal(content, &rules); err != nil {
		t.Fatal(err)
	}
	var expressions []string
	for _, group := range rules.Groups {
		for _, rule := range group.Rules {
			if rule.Alert == "" || rule.Labels["severity"] == "" || rule.Annotations["summary"] == "" || rule.Annotations["description"] == "" {
				t.Errorf("a rule lacks its name, severity, summary or what to do: %+v", rule)
			}
			expressions = append(expressions, rule.Expr)
		}
	}
	if len(expressions) == 0 {
		t.Fatal("there are no alerts")
	}
	checkExpressions(t, "alerts.yml", expressions)
}

func TestEveryPanelStandsOnMetricsThatAreExported(t *testing.T) {
	content, err := os.ReadFile(filepath.Join(ops, "grafana", "rlmaze.json"))
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Title  string `json:"title"`
		Panels []struct {
			Type    string `json:"type"`
			Title   string `json:"title"`
			Targets []struct {
				Expr string `json:"expr"`
			} `json:"targets"`
		} `json:"panels"`
	}
	if err := json.Unmarshal(content, &dashboard); err != nil {
		t.Fatal(err)
	}
	var expressions []string
	for _, panel := range dashboard.Panels {
		if panel.Type != "row" && len(panel.Targets) == 0 {
			t.Errorf("the panel %q shows nothing", panel.Title)
		}
		for _, target := range panel.Targets {
			expressions = append(expressions, target.Expr)
		}
	}
	checkExpressions(t, "rlmaze.json", expressions)
	// And the other way round: what is counted can be seen.
	shown := strings.Join(expressions, "\n")
	for name := range exported(t) {
		if base := strings.TrimSuffix(strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_sum"), "_count"); strings.HasPrefix(name, "rlmaze_") && !strings.Contains(shown, base) {
			t.Errorf("no panel shows %s", name)
		}
	}
}
