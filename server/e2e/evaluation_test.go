package e2e

import (
	"context"
	"math"
	"net/http"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	evaluationv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1"
	"github.com/rlmaze/rlmaze/gen/go/rlmaze/evaluation/v1/evaluationv1connect"
	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

func evaluations(base string) evaluationv1connect.EvaluationServiceClient {
	return evaluationv1connect.NewEvaluationServiceClient(http.DefaultClient, base)
}

// evaluate runs one evaluation to its end.
func evaluate(ctx context.Context, base string, request *evaluationv1.EvaluateModelRequest) (*evaluationv1.Evaluation, error) {
	stream, err := evaluations(base).EvaluateModel(ctx, request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = stream.Close() }()
	var last *evaluationv1.Evaluation
	for stream.Receive() {
		last = stream.Msg().GetEvaluation()
	}
	return last, stream.Err()
}

func TestEvaluationsOnTheServerComeToTheFiguresOfTheManifests(t *testing.T) {
	listed, err := models(shared.public).ListModels(t.Context(), &modelv1.ListModelsRequest{})
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, m := range listed.GetModels() {
		for _, want := range m.GetSuccess() {
			if want.GetSetId() != "heldout" && want.GetSetId() != "puzzles" {
				continue
			}
			began := time.Now()
			got, err := evaluate(t.Context(), shared.private, &evaluationv1.EvaluateModelRequest{Policy: modelPolicy(m.GetModelId()), SetId: want.GetSetId()})
			if err != nil {
				t.Fatalf("%s on %s: %v", m.GetModelId(), want.GetSetId(), err)
			}
			took := time.Since(began)
			f := got.GetFigures()
			t.Logf("%s on %s: %d of %d, SPL %.6f, %.3f µs a step, %v", m.GetModelId(), want.GetSetId(), f.GetSuccesses(), f.GetEpisodes(), f.GetSpl(), got.GetMeanStepUs(), took)
			if f.GetEpisodes() != want.GetEpisodes() || f.GetSuccesses() != want.GetSuccesses() || math.Abs(f.GetSpl()-want.GetSpl()) > 1e-6 ||
				math.Abs(f.GetMeanSteps()-want.GetMeanSteps()) > 1e-3 || f.GetIntervalLow() != want.GetIntervalLow() || f.GetIntervalHigh() != want.GetIntervalHigh() {
				t.Errorf("%s on %s: evaluated %v, its manifest says %v", m.GetModelId(), want.GetSetId(), f, want)
			}
			if got.GetModelSha256() != m.GetSha256() || got.GetSetHash() != want.GetSetHash() || got.GetMeanStepUs() <= 0 || got.GetP95StepUs() <= 0 || len(got.GetBySize()) == 0 {
				t.Errorf("%s on %s: evaluated %v", m.GetModelId(), want.GetSetId(), got)
			}
			if puzzles := len(got.GetByPuzzle()); (want.GetSetId() == "puzzles") != (puzzles > 0) || puzzles > 0 && puzzles != int(f.GetEpisodes()) {
				t.Errorf("%s on %s: %d puzzles of %d mazes", m.GetModelId(), want.GetSetId(), puzzles, f.GetEpisodes())
			}
			if took > measured.Limit(time.Second) {
				t.Errorf("%s on %s took %v", m.GetModelId(), want.GetSetId(), took)
			}
			compared++
		}
	}
	if compared == 0 {
		t.Error("no manifest has success on these sets")
	}
}

func TestTheLeaderboardHasModelsBaselinesAndTheirFailures(t *testing.T) {
	const set = "heldout"
	policies := []*inferencev1.PolicyRef{modelPolicy("ppo-memory-1"), modelPolicy("ppo-plain-1")}
	for number := range inferencev1.Baseline_name {
		if number != 0 {
			policies = append(policies, baseline(inferencev1.Baseline(number)))
		}
	}
	for _, policy := range policies {
		if _, err := evaluate(t.Context(), shared.private, &evaluationv1.EvaluateModelRequest{Policy: policy, SetId: set}); err != nil {
			t.Fatalf("%v: %v", policy, err)
		}
	}
	board, err := evaluations(shared.public).GetLeaderboard(t.Context(), &evaluationv1.GetLeaderboardRequest{SetId: set})
	if err != nil {
		t.Fatal(err)
	}
	if len(board.GetRows()) < len(policies) || board.GetRows()[0].GetPolicy().GetBaseline() != inferencev1.Baseline_BASELINE_SHORTEST_PATH {
		t.Errorf("the leaderboard is %v", board)
	}
	for i, row := range board.GetRows() {
		f := row.GetFigures()
		if i > 0 && f.GetRate() > board.GetRows()[i-1].GetFigures().GetRate() {
			t.Errorf("row %d is better than the one above", i)
		}
		if failures := int(f.GetEpisodes() - f.GetSuccesses()); len(row.GetFailed()) != min(failures, 100) {
			t.Errorf("%v names %d of %d failures", row.GetPolicy(), len(row.GetFailed()), failures)
		}
		inGroups := int32(0)
		for _, g := range row.GetByDifficulty() {
			inGroups += g.GetFigures().GetEpisodes()
		}
		if inGroups != f.GetEpisodes() || len(row.GetBySize()) != 1 || row.GetBySize()[0].GetRows() != 10 {
			t.Errorf("%v has groups %v and %v", row.GetPolicy(), row.GetByDifficulty(), row.GetBySize())
		}
		if row.GetPolicy().GetModelId() == "ppo-plain-1" || row.GetPolicy().GetBaseline() == inferencev1.Baseline_BASELINE_RANDOM {
			wantFailure(t, row)
		}
	}
}

// wantFailure plays the last maze that the row calls failed.
func wantFailure(t *testing.T, row *evaluationv1.Evaluation) {
	t.Helper()
	if len(row.GetFailed()) == 0 {
		t.Fatalf("%v failed nowhere", row.GetPolicy())
	}
	failed := row.GetFailed()[len(row.GetFailed())-1]
	e, err := run(t.Context(), transports(t, 0)[0], shared.public, &inferencev1.RunEpisodeRequest{
		Maze: mazeByID(failed.GetMazeId()), Policy: row.GetPolicy(), Seed: proto.Uint64(failed.GetSeed()),
	})
	if err != nil || e.finished.GetOutcome() != inferencev1.Outcome_OUTCOME_STEP_LIMIT {
		t.Errorf("%v in %s ended with %v, %v", row.GetPolicy(), failed.GetMazeId(), e.finished, err)
	}
}

func TestAnEvaluationIsKeptOnlyWhenItEnds(t *testing.T) {
	request := &evaluationv1.EvaluateModelRequest{Policy: baseline(inferencev1.Baseline_BASELINE_RANDOM), SetId: "large50"}
	ctx, leave := context.WithCancel(t.Context())
	stream, err := evaluations(shared.private).EvaluateModel(ctx, request)
	if err != nil {
		t.Fatal(err)
	}
	leave()
	for stream.Receive() {
	}
	_ = stream.Close()
	board, err := evaluations(shared.public).GetLeaderboard(t.Context(), &evaluationv1.GetLeaderboardRequest{SetId: "large50"})
	if err != nil {
		t.Fatal(err)
	}
	if stream.Err() != nil && len(board.GetRows()) != 0 {
		t.Errorf("a cancelled evaluation is kept: %v", board)
	}
	first, err := evaluate(t.Context(), shared.private, request)
	if err != nil {
		t.Fatal(err)
	}
	second, err := evaluate(t.Context(), shared.private, request)
	if err != nil || !proto.Equal(first, second) {
		t.Errorf("what is kept is %v, %v; measured was %v", second, err, first)
	}
}

func TestTheWrongListenerSetAndPolicyAreRefused(t *testing.T) {
	if _, err := evaluate(t.Context(), shared.public, &evaluationv1.EvaluateModelRequest{SetId: "puzzles"}); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("the public listener answered %v", err)
	}
	for name, c := range map[string]struct {
		request *evaluationv1.EvaluateModelRequest
		want    connect.Code
	}{
		"no set":        {&evaluationv1.EvaluateModelRequest{}, connect.CodeInvalidArgument},
		"unknown set":   {&evaluationv1.EvaluateModelRequest{SetId: "none"}, connect.CodeNotFound},
		"unknown model": {&evaluationv1.EvaluateModelRequest{SetId: "puzzles", Policy: modelPolicy("none-1")}, connect.CodeNotFound},
		"no baseline":   {&evaluationv1.EvaluateModelRequest{SetId: "puzzles", Policy: baseline(0)}, connect.CodeInvalidArgument},
	} {
		if _, err := evaluate(t.Context(), shared.private, c.request); connect.CodeOf(err) != c.want {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	if _, err := evaluations(shared.public).GetLeaderboard(t.Context(), &evaluationv1.GetLeaderboardRequest{SetId: "none"}); connect.CodeOf(err) != connect.CodeNotFound {
		t.Errorf("the leaderboard of an unknown set: %v", err)
	}
}
