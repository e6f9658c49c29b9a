package usecase

import (
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func seedOf(n uint64) *uint64 { return &n }

func mazeOf(id string) domain.MazeRef { return domain.MazeRef{ID: id} }

func TestAnEpisodeStartsStepsAndFinishesAndIsLoggedOnce(t *testing.T) {
	b := newBench(t)
	p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), Seed: seedOf(7)})
	if p.err != nil || p.started == nil || p.finished == nil {
		t.Fatalf("played %+v", p)
	}
	s := p.started
	if s.Policy.ModelID != "first-1" || s.Seed != 7 || s.FirstStep != 1 || s.MaxSteps != 128 || s.Observation != domain.ObservationTrail || s.ScoreKind != domain.ScoreKindLogit || s.ResumeToken == "" || s.PolicyMap != nil {
		t.Errorf("started %+v", s)
	}
	if err := domain.CheckEpisodeID(s.EpisodeID, time.Now()); err != nil {
		t.Errorf("the server picked %q: %v", s.EpisodeID, err)
	}
	for i, step := range p.steps {
		if step.Index != i+1 || step.Scores.Kind != domain.ScoreKindLogit || step.PolicyMap != nil {
			t.Errorf("step %d is %+v", i+1, step)
		}
		if sum := step.Probabilities[0] + step.Probabilities[1] + step.Probabilities[2] + step.Probabilities[3]; math.Abs(float64(sum)-1) > 1e-6 {
			t.Errorf("probabilities of step %d sum to %v", i+1, sum)
		}
	}
	last := p.steps[len(p.steps)-1]
	f := p.finished
	if f.Outcome != domain.OutcomeReachedGoal || last.Outcome != f.Outcome || f.Steps != len(p.steps) || !f.Logged || f.TotalReward != float64(last.Cumulative)/100 {
		t.Errorf("finished %+v after %+v", f, last)
	}
	r, err := b.log.FindEpisode(t.Context(), s.EpisodeID)
	if err != nil {
		t.Fatal(err)
	}
	if r.ModelID != "first-1" || r.MazeID != "puzzle-hidden" || r.MazeRows != nil || r.MazeHash != s.Maze.Hash() || r.Observation != domain.ObservationTrail || r.Seed != 7 ||
		r.Steps != f.Steps || r.Outcome != f.Outcome || r.TotalReward != f.TotalReward || r.SPL != f.SPL || string(r.Actions) != string(p.actions()) || r.Timestamp.IsZero() {
		t.Errorf("logged %+v", r)
	}
	c := b.deps.Counters
	if c.EpisodesFinished.Load() != 1 || c.StreamsUnfinished.Load() != 0 || c.LiveStreams.Load() != 0 || c.Steps.Latency().Count != int64(f.Steps) {
		t.Error("the counters are wrong")
	}
}

func TestADrawnMazeIsLoggedWithItsRows(t *testing.T) {
	b := newBench(t)
	rows := []string{"S..", "##.", "G.."}
	p := b.play(t.Context(), RunEpisodeInput{Maze: domain.MazeRef{Drawn: rows}, Policy: domain.PolicyRef{Baseline: domain.BaselineShortestPath}, Sampling: domain.Sampling{Temperature: 1}})
	if p.err != nil || p.finished == nil {
		t.Fatal(p.err)
	}
	if p.started.Observation != "" || p.started.ScoreKind != "" || p.started.Sampling != (domain.Sampling{}) || p.steps[0].Scores.Kind != "" || p.steps[0].Probabilities != [4]float32{} {
		t.Errorf("a baseline has scores or a sampling: %+v, %+v", p.started, p.steps[0])
	}
	r, err := b.log.FindEpisode(t.Context(), p.started.EpisodeID)
	if err != nil || r.MazeID != "" || !slices.Equal(r.MazeRows, rows) || r.Baseline != domain.BaselineShortestPath || r.ModelID != "" {
		t.Errorf("logged %+v, %v", r, err)
	}
}

// Whatever is cut and however often: the steps are those of the uncut episode, and the log has one document.
func TestAnEpisodeThatIsCutAnywhereGoesOnAsIfUncut(t *testing.T) {
	for name, in := range map[string]RunEpisodeInput{
		"greedy":   {Maze: mazeOf("puzzle-hidden"), Seed: seedOf(1)},
		"softmax":  {Maze: mazeOf("puzzle-hidden"), Seed: seedOf(2), Sampling: domain.Sampling{Temperature: 0.3}},
		"random":   {Maze: mazeOf("generated-6x6-3"), Seed: seedOf(3), Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}},
		"follower": {Maze: mazeOf("puzzle-hidden"), Seed: seedOf(4), Policy: domain.PolicyRef{Baseline: domain.BaselineWallFollower}},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			whole := b.play(t.Context(), in)
			if whole.err != nil || whole.finished == nil {
				t.Fatal(whole.err)
			}
			want := whole.actions()
			resumed := in
			resumed.ResumeToken = whole.started.ResumeToken
			if name == "greedy" { // what the token pins may be left out
				resumed.Seed = nil
			}
			for cut := range len(want) + 1 {
				resumed.AfterStep, resumed.ActionsDigest = cut, domain.ActionsDigest(want[:cut])
				p := b.play(t.Context(), resumed)
				if p.err != nil || p.finished == nil {
					t.Fatalf("cut at %d: %v", cut, p.err)
				}
				if p.started.FirstStep != cut+1 || string(p.actions()) != string(want[cut:]) || p.started.EpisodeID != whole.started.EpisodeID || p.started.ResumeToken != whole.started.ResumeToken {
					t.Fatalf("cut at %d: %+v", cut, p)
				}
				for i := range p.steps {
					got, uncut := p.steps[i], whole.steps[cut+i]
					got.ServerTime, uncut.ServerTime = time.Time{}, time.Time{}
					if got != uncut {
						t.Fatalf("cut at %d: step %+v, uncut %+v", cut, got, uncut)
					}
				}
				if f := *p.finished; f.Steps != len(want) || f.SPL != whole.finished.SPL || !f.Logged {
					t.Fatalf("cut at %d: %+v", cut, f)
				}
			}
			if len(b.log.records) != 1 {
				t.Errorf("%d documents", len(b.log.records))
			}
		})
	}
}

func TestAResumeKeepsTheModelOfItsFirstStream(t *testing.T) {
	b := newBench(t)
	first := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), MaxSteps: 3})
	if first.err != nil || len(first.steps) != 3 || first.finished != nil {
		t.Fatalf("%+v", first)
	}
	if _, err := b.activate.Run(t.Context(), SetActiveModelInput{ModelID: "second-1"}); err != nil {
		t.Fatal(err)
	}
	p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), AfterStep: 3, ResumeToken: first.started.ResumeToken, ActionsDigest: domain.ActionsDigest(first.actions())})
	if p.err != nil || p.started.Policy.ModelID != "first-1" || p.started.Seed != first.started.Seed {
		t.Errorf("resumed %+v, %v", p.started, p.err)
	}
}

func TestAResumeThatDoesNotFitIsRefused(t *testing.T) {
	b := newBench(t)
	original := RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), Seed: seedOf(5)}
	whole := b.play(t.Context(), original)
	if whole.err != nil {
		t.Fatal(whole.err)
	}
	logged := len(b.log.records)
	other := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-corridor"), Seed: seedOf(5)})
	good := original
	good.ResumeToken, good.AfterStep, good.ActionsDigest = whole.started.ResumeToken, 2, domain.ActionsDigest(whole.actions()[:2])
	for name, c := range map[string]struct {
		change func(*RunEpisodeInput)
		code   domain.Code
		field  string
	}{
		"no token":       {func(in *RunEpisodeInput) { in.ResumeToken = "" }, domain.CodeInvalidArgument, "resume_token"},
		"rubbish":        {func(in *RunEpisodeInput) { in.ResumeToken = "rubbish" }, domain.CodeFailedPrecondition, "resume_token"},
		"changed":        {func(in *RunEpisodeInput) { in.ResumeToken = "B" + in.ResumeToken[1:] }, domain.CodeFailedPrecondition, "resume_token"},
		"cut":            {func(in *RunEpisodeInput) { in.ResumeToken = in.ResumeToken[:40] }, domain.CodeFailedPrecondition, "resume_token"},
		"of another one": {func(in *RunEpisodeInput) { in.ResumeToken = other.started.ResumeToken }, domain.CodeFailedPrecondition, "resume_token"},
		"other maze":     {func(in *RunEpisodeInput) { in.Maze = mazeOf("puzzle-fork") }, domain.CodeFailedPrecondition, "resume_token"},
		"other seed":     {func(in *RunEpisodeInput) { in.Seed = seedOf(6) }, domain.CodeFailedPrecondition, "resume_token"},
		"other model":    {func(in *RunEpisodeInput) { in.Policy.ModelID = "second-1" }, domain.CodeFailedPrecondition, "resume_token"},
		"other sampling": {func(in *RunEpisodeInput) { in.Sampling.Temperature = 1 }, domain.CodeFailedPrecondition, "resume_token"},
		"other id":       {func(in *RunEpisodeInput) { in.EpisodeID = other.started.EpisodeID }, domain.CodeFailedPrecondition, "resume_token"},
		"other actions":  {func(in *RunEpisodeInput) { in.ActionsDigest++ }, domain.CodeFailedPrecondition, "actions_digest"},
		"other step":     {func(in *RunEpisodeInput) { in.AfterStep++ }, domain.CodeFailedPrecondition, "actions_digest"},
		"beyond the end": {func(in *RunEpisodeInput) { in.AfterStep = len(whole.steps) + 1 }, domain.CodeInvalidArgument, "after_step"},
		"far beyond":     {func(in *RunEpisodeInput) { in.AfterStep = 20000 }, domain.CodeInvalidArgument, "after_step"},
		"absurd":         {func(in *RunEpisodeInput) { in.AfterStep = 20001 }, domain.CodeInvalidArgument, "after_step"},
		"negative":       {func(in *RunEpisodeInput) { in.AfterStep = -1 }, domain.CodeInvalidArgument, "after_step"},
	} {
		t.Run(name, func(t *testing.T) {
			in := good
			c.change(&in)
			p := b.play(t.Context(), in)
			wantError(t, p.err, c.code, c.field)
			if p.started != nil {
				t.Error("it started")
			}
		})
	}
	if len(b.log.records) != logged+1 {
		t.Error("a refused resume was logged")
	}
	if n := b.deps.Counters.LiveStreams.Load(); n != 0 {
		t.Errorf("%d live streams", n)
	}
	if p := b.play(t.Context(), good); p.err != nil {
		t.Errorf("the good one is refused, too: %v", p.err)
	}
}

func wantError(t *testing.T, err error, code domain.Code, field string) {
	t.Helper()
	e, ok := errors.AsType[*domain.Error](err)
	if !ok || e.Code != code || e.Field != field || e.Message == "" || e.Rule == "" {
		t.Errorf("error %+v; want code %d on %q", err, code, field)
	}
}

func TestBadInputIsRefusedByFieldBeforeAnythingStarts(t *testing.T) {
	b := newBench(t)
	broken := b.store.add("broken", 1)
	broken.State, broken.StateReason = domain.ModelStateBroken, "its policy.onnx is missing"
	if err := b.registry.RegisterModel(t.Context(), broken); err != nil {
		t.Fatal(err)
	}
	drawn := func(rows ...string) RunEpisodeInput { return RunEpisodeInput{Maze: domain.MazeRef{Drawn: rows}} }
	with := func(change func(*RunEpisodeInput)) RunEpisodeInput {
		in := RunEpisodeInput{Maze: mazeOf("puzzle-fork")}
		change(&in)
		return in
	}
	invalid, missing, precondition := domain.CodeInvalidArgument, domain.CodeNotFound, domain.CodeFailedPrecondition
	for name, c := range map[string]struct {
		in    RunEpisodeInput
		code  domain.Code
		field string
	}{
		"unknown maze":     {RunEpisodeInput{Maze: mazeOf("heldout-9999")}, missing, "maze.maze_id"},
		"no maze":          {RunEpisodeInput{}, missing, "maze.maze_id"},
		"bad generated":    {RunEpisodeInput{Maze: mazeOf("generated-2x2-1")}, missing, "maze.maze_id"},
		"unknown model":    {with(func(in *RunEpisodeInput) { in.Policy.ModelID = "none-1" }), missing, "policy.model_id"},
		"broken model":     {with(func(in *RunEpisodeInput) { in.Policy.ModelID = "broken-1" }), precondition, "policy.model_id"},
		"unknown baseline": {with(func(in *RunEpisodeInput) { in.Policy.Baseline = "genius" }), invalid, "policy.baseline"},
		"no start":         {drawn("...", "...", "..G"), invalid, "maze.drawn.rows"},
		"two goals":        {drawn("S..", "..G", "..G"), invalid, "maze.drawn.rows"},
		"no way":           {drawn("S#.", "##.", "..G"), invalid, "maze.drawn.rows"},
		"ragged":           {drawn("S..", "....", "..G"), invalid, "maze.drawn.rows"},
		"too small":        {drawn("S.", ".G"), invalid, "maze.drawn.rows"},
		"other characters": {drawn("S..", ".x.", "..G"), invalid, "maze.drawn.rows"},
		"no rows":          {RunEpisodeInput{Maze: domain.MazeRef{Drawn: []string{}}}, invalid, "maze.drawn.rows"},
		"negative speed":   {with(func(in *RunEpisodeInput) { in.StepsPerSecond = -1 }), invalid, "steps_per_second"},
		"absurd speed":     {with(func(in *RunEpisodeInput) { in.StepsPerSecond = 1e9 }), invalid, "steps_per_second"},
		"no speed":         {with(func(in *RunEpisodeInput) { in.StepsPerSecond = math.NaN() }), invalid, "steps_per_second"},
		"creeping":         {with(func(in *RunEpisodeInput) { in.StepsPerSecond = 0.01 }), invalid, "steps_per_second"},
		"negative steps":   {with(func(in *RunEpisodeInput) { in.MaxSteps = -1 }), invalid, "max_steps"},
		"long share":       {with(func(in *RunEpisodeInput) { in.Share = time.Second }), invalid, "share_ms"},
		"cold":             {with(func(in *RunEpisodeInput) { in.Sampling.Temperature = 0.001 }), invalid, "sampling.softmax.temperature"},
		"no temperature":   {with(func(in *RunEpisodeInput) { in.Sampling.Temperature = math.NaN() }), invalid, "sampling.softmax.temperature"},
		"id is no UUID":    {with(func(in *RunEpisodeInput) { in.EpisodeID = "1" }), invalid, "episode_id"},
		"id is UUIDv4":     {with(func(in *RunEpisodeInput) { in.EpisodeID = "0193d2a0-0000-4000-8000-000000000000" }), invalid, "episode_id"},
		"id of another day": {with(func(in *RunEpisodeInput) {
			in.EpisodeID = domain.NewEpisodeID(time.Now().Add(-25*time.Hour), [10]byte{})
		}), invalid, "episode_id"},
	} {
		t.Run(name, func(t *testing.T) {
			p := b.play(t.Context(), c.in)
			wantError(t, p.err, c.code, c.field)
			if p.started != nil {
				t.Error("it started")
			}
		})
	}
	if len(b.log.records) != 0 || b.deps.Counters.StreamsUnfinished.Load() != 0 {
		t.Error("something was counted or logged")
	}
}

func TestAnIDThatWasUsedForAnotherEpisodeIsRefused(t *testing.T) {
	b := newBench(t)
	id := domain.NewEpisodeID(time.Now(), [10]byte{1})
	in := RunEpisodeInput{EpisodeID: id, Maze: mazeOf("puzzle-hidden"), Seed: seedOf(1)}
	for range 2 { // the same episode again is the same document
		if p := b.play(t.Context(), in); p.err != nil || !p.finished.Logged {
			t.Fatal(p.err)
		}
	}
	in.Maze = mazeOf("puzzle-fork")
	p := b.play(t.Context(), in)
	wantError(t, p.err, domain.CodeAlreadyExists, "episode_id")
	if p.started != nil {
		t.Error("it started")
	}
	if r, _ := b.log.FindEpisode(t.Context(), id); r.MazeID != "puzzle-hidden" {
		t.Error("the first document was changed")
	}
}

// What this server does not remember is asked of the log, but only for ids that were not made just now.
func TestAnIDThatAnotherServerUsedIsRefusedAtTheStartOrTheEnd(t *testing.T) {
	for name, c := range map[string]struct {
		age      time.Duration
		lookup   error
		atStart  bool
		lookedUp int
	}{
		"made just now":     {time.Second, nil, false, 0},
		"made before":       {time.Hour, nil, true, 1},
		"made hereafter":    {-time.Hour, nil, true, 1},
		"the log is away":   {time.Hour, domain.Unavailable("mongodb", errors.New("no route")), false, 1},
		"the log is silent": {time.Hour, context.DeadlineExceeded, false, 1},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			in := RunEpisodeInput{EpisodeID: domain.NewEpisodeID(time.Now().Add(-c.age), [10]byte{1}), Maze: mazeOf("puzzle-hidden"), Seed: seedOf(1)}
			if p := b.play(t.Context(), in); p.err != nil {
				t.Fatal(p.err)
			}
			b.run = NewRunEpisode(b.deps) // another server with the same log
			b.log.found, b.log.findErr = 0, c.lookup
			other := in
			other.Maze = mazeOf("puzzle-fork")
			p := b.play(t.Context(), other)
			wantError(t, p.err, domain.CodeAlreadyExists, "episode_id")
			if (p.started == nil) != c.atStart || p.finished != nil || b.log.found != c.lookedUp {
				t.Errorf("started %v, finished %v, %d lookups", p.started != nil, p.finished, b.log.found)
			}
			if p := b.play(t.Context(), in); p.err != nil {
				t.Errorf("the same episode again: %v", p.err)
			}
			lookups := b.log.found
			resumed := in
			resumed.AfterStep, resumed.ResumeToken = 1, "rubbish"
			if p := b.play(t.Context(), resumed); !errors.Is(p.err, domain.ErrResumeToken) || b.log.found != lookups {
				t.Errorf("a resume was looked up, %v", p.err)
			}
		})
	}
}

func TestServersRememberTheLastIDsOnly(t *testing.T) {
	b := newBench(t)
	var u usedIDs
	live := func(n int) *liveEpisode {
		maze, _ := b.deps.Catalog.FindMaze("puzzle-fork")
		return &liveEpisode{claims: domain.ResumeClaims{EpisodeID: fmt.Sprint(n)}, episode: domain.NewEpisode(maze)}
	}
	for n := range rememberedIDs + 10 {
		u.add(live(n))
		u.add(live(n))
	}
	_, forgotten := u.find("9")
	_, oldest := u.find("10")
	_, newest := u.find(fmt.Sprint(rememberedIDs + 9))
	if forgotten || !oldest || !newest || len(u.known) != rememberedIDs || len(u.order) != rememberedIDs {
		t.Errorf("%d are remembered", len(u.known))
	}
}

func TestAResumeWhoseModelWasReplacedIsRefused(t *testing.T) {
	b := newBench(t)
	first := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), Policy: domain.PolicyRef{ModelID: "second-1"}, MaxSteps: 3})
	if first.err != nil {
		t.Fatal(first.err)
	}
	// The server starts again while the registry is away: the folder alone says what second-1 is.
	other := b.store.bundles["second-1"]
	other.Model.SHA256 = strings.Repeat("ab", 32)
	b.store.bundles["second-1"] = other
	b.registry.down.Store(true)
	b.deps.Models = NewLoadedModels(b.registry, b.store, b.loader)
	b.run = NewRunEpisode(b.deps)
	resumed := RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), AfterStep: 3, ResumeToken: first.started.ResumeToken, ActionsDigest: domain.ActionsDigest(first.actions())}
	p := b.play(t.Context(), resumed)
	wantError(t, p.err, domain.CodeFailedPrecondition, "resume_token")
	if !errors.Is(p.err, domain.ErrModelReplaced) || p.started != nil {
		t.Errorf("error %v", p.err)
	}
	b.deps.Models.Close()
	if b.deps.Models.Loaded() != 0 {
		t.Error("the refused resume kept its model")
	}
}

func TestAnEpisodeCountsOnceHoweverOftenItsEndIsAskedFor(t *testing.T) {
	b := newBench(t)
	whole := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")})
	if whole.err != nil {
		t.Fatal(whole.err)
	}
	atTheEnd := RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), AfterStep: len(whole.steps), ResumeToken: whole.started.ResumeToken, ActionsDigest: domain.ActionsDigest(whole.actions())}
	for range 3 {
		if p := b.play(t.Context(), atTheEnd); p.err != nil || len(p.steps) != 0 || p.finished == nil {
			t.Fatalf("%+v", p)
		}
	}
	if n := b.deps.Counters.EpisodesFinished.Load(); n != 1 {
		t.Errorf("%d episodes are counted", n)
	}
}

func TestEpisodesRunWhateverStoreIsDown(t *testing.T) {
	in := RunEpisodeInput{Maze: mazeOf("puzzle-hidden")}
	t.Run("log", func(t *testing.T) {
		b := newBench(t)
		b.log.err = domain.Unavailable("mongodb", errors.New("no route"))
		var reported error
		b.deps.OnLogged = func(_ string, _ time.Duration, err error) { reported = err }
		b.run = NewRunEpisode(b.deps)
		p := b.play(t.Context(), in)
		if p.err != nil || p.finished == nil || p.finished.Logged {
			t.Errorf("finished %+v, %v", p.finished, p.err)
		}
		if domain.CodeOf(reported) != domain.CodeUnavailable {
			t.Errorf("reported %v", reported)
		}
	})
	t.Run("registry", func(t *testing.T) {
		b := newBench(t)
		b.registry.down.Store(true)
		if p := b.play(t.Context(), in); p.err != nil || !p.finished.Logged {
			t.Errorf("with the active model: %v", p.err)
		}
		in := in
		in.Policy.ModelID = "second-1" // not loaded yet
		if p := b.play(t.Context(), in); p.err != nil || !p.finished.Logged {
			t.Errorf("with a model that is named: %v", p.err)
		}
		in.Policy.ModelID = "none-1"
		wantError(t, b.play(t.Context(), in).err, domain.CodeNotFound, "policy.model_id")
	})
	t.Run("registry since the start", func(t *testing.T) {
		b := newBench(t)
		b.models.Close()
		b.registry.down.Store(true)
		if p := b.play(t.Context(), in); domain.CodeOf(p.err) != domain.CodeUnavailable {
			t.Errorf("the active model that nobody knows: %v", p.err)
		}
	})
	t.Run("secrets", func(t *testing.T) {
		b := newBench(t)
		b.secrets.err = errDown
		p := b.play(t.Context(), in)
		if p.err != nil || p.started.ResumeToken != "" || !p.finished.Logged {
			t.Errorf("without a secret: %+v, %v", p.started, p.err)
		}
		resumed := in
		resumed.AfterStep, resumed.ResumeToken = 1, "any"
		if p := b.play(t.Context(), resumed); domain.CodeOf(p.err) != domain.CodeUnavailable {
			t.Errorf("a resume without a secret: %v", p.err)
		}
		b.secrets.err = errors.New("a defect")
		if p := b.play(t.Context(), in); p.err == nil || domain.CodeOf(p.err) != domain.CodeInternal {
			t.Errorf("a defect: %v", p.err)
		}
		b.secrets.err = nil
		for range 3 {
			if p := b.play(t.Context(), in); p.err != nil {
				t.Errorf("the store is back: %v", p.err)
			}
		}
		if b.secrets.asked != 4 {
			t.Errorf("the secret was asked for %d times; once after the three failures is enough", b.secrets.asked)
		}
	})
	t.Run("model files", func(t *testing.T) {
		b := newBench(t)
		b.store.err = domain.Unavailable("the model folder", errors.New("i/o error"))
		if p := b.play(t.Context(), in); p.err != nil {
			t.Errorf("with the active model: %v", p.err)
		}
		in := in
		in.Policy.ModelID = "second-1"
		if p := b.play(t.Context(), in); domain.CodeOf(p.err) != domain.CodeUnavailable {
			t.Errorf("with a model that is named: %v", p.err)
		}
	})
	t.Run("network", func(t *testing.T) {
		b := newBench(t)
		failure := errors.New("out of memory")
		b.loader.last("first-1").err.Store(&failure)
		p := b.play(t.Context(), in)
		if !errors.Is(p.err, failure) || domain.CodeOf(p.err) != domain.CodeInternal {
			t.Errorf("error %v", p.err)
		}
		if n := b.deps.Counters.StreamsUnfinished.Load(); n != 1 {
			t.Errorf("%d unfinished", n)
		}
	})
}

func TestWithoutAnActiveModelOneMustBeNamed(t *testing.T) {
	b := newBench(t)
	b.registry = newMemoryRegistry()
	b.store.defaultID = ""
	b.models = NewLoadedModels(b.registry, b.store, b.loader)
	b.register = &RegisterShippedModels{Registry: b.registry, Store: b.store, Models: b.models}
	out, err := b.register.Run(t.Context())
	if err != nil || !errors.Is(out.NotActive, domain.ErrNoActiveModel) {
		t.Fatalf("%+v, %v", out, err)
	}
	b.deps.Models = b.models
	b.run = NewRunEpisode(b.deps)
	wantError(t, b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork")}).err, domain.CodeFailedPrecondition, "policy")
	if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{ModelID: "second-1"}}); p.err != nil {
		t.Error(p.err)
	}
	if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}}); p.err != nil {
		t.Error(p.err)
	}
}

func TestMaxStepsEndsTheStreamAndNotTheEpisode(t *testing.T) {
	b := newBench(t)
	in := RunEpisodeInput{Maze: mazeOf("puzzle-corridor"), MaxSteps: 1}
	var actions []byte
	for i := 1; ; i++ {
		p := b.play(t.Context(), in)
		if p.err != nil || len(p.steps) != 1 || p.steps[0].Index != i {
			t.Fatalf("step %d: %+v", i, p)
		}
		actions = append(actions, p.actions()...)
		if p.finished != nil {
			break
		}
		in.AfterStep, in.ResumeToken, in.ActionsDigest = i, p.started.ResumeToken, domain.ActionsDigest(actions)
	}
	if len(actions) != 10 || len(b.log.records) != 1 || b.deps.Counters.StreamsUnfinished.Load() != 0 {
		t.Errorf("%d actions, %d documents", len(actions), len(b.log.records))
	}
}

func TestPolicyMapsComeWithTheLastStepOfEachMessage(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), WithPolicyMap: true})
		if p.err != nil {
			t.Fatal(p.err)
		}
		if m := p.started.PolicyMap; m == nil || m.AtStep != 0 || len(m.Values) != 4*len(m.Cells) || len(m.StateValues) != len(m.Cells) || m.Kind != domain.ScoreKindLogit {
			t.Errorf("the map at the start is %+v", m)
		}
		for i, s := range p.steps {
			if last := i == len(p.steps)-1; (s.PolicyMap != nil) != last {
				t.Errorf("step %d has the map %v", i+1, s.PolicyMap)
			} else if last && s.PolicyMap.AtStep != i+1 {
				t.Errorf("the map of step %d is of %d", i+1, s.PolicyMap.AtStep)
			}
		}
		for name, in := range map[string]RunEpisodeInput{
			"baseline": {Maze: mazeOf("puzzle-hidden"), WithPolicyMap: true, Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}},
			"large":    {Maze: mazeOf("generated-31x30-1"), WithPolicyMap: true, MaxSteps: 1},
		} {
			if p := b.play(t.Context(), in); p.err != nil || p.started.PolicyMap != nil || p.steps[len(p.steps)-1].PolicyMap != nil {
				t.Errorf("%s has maps, or %v", name, p.err)
			}
		}
	})
}

func TestTheMapOfAMomentIsThatOfTheStream(t *testing.T) {
	b := newBench(t)
	u := NewMapPolicy(b.deps)
	p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), WithPolicyMap: true, MaxSteps: 4, Seed: seedOf(3)})
	if p.err != nil {
		t.Fatal(p.err)
	}
	out, err := u.Run(t.Context(), MapPolicyInput{Maze: mazeOf("puzzle-hidden"), Seed: 3, AfterStep: 4})
	if err != nil {
		t.Fatal(err)
	}
	last := p.steps[3]
	if fmt.Sprint(*out.PolicyMap) != fmt.Sprint(*last.PolicyMap) || out.Position != last.Position || out.Policy.ModelID != "first-1" {
		t.Errorf("mapped %+v", out)
	}
	for name, c := range map[string]struct {
		in    MapPolicyInput
		code  domain.Code
		field string
	}{
		"baseline":     {MapPolicyInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}}, domain.CodeFailedPrecondition, "policy.baseline"},
		"beyond":       {MapPolicyInput{Maze: mazeOf("puzzle-fork"), AfterStep: 49}, domain.CodeInvalidArgument, "after_step"},
		"negative":     {MapPolicyInput{Maze: mazeOf("puzzle-fork"), AfterStep: -1}, domain.CodeInvalidArgument, "after_step"},
		"unknown maze": {MapPolicyInput{Maze: mazeOf("none")}, domain.CodeNotFound, "maze.maze_id"},
		"model":        {MapPolicyInput{Maze: mazeOf("puzzle-fork"), Policy: domain.PolicyRef{ModelID: "none-1"}}, domain.CodeNotFound, "policy.model_id"},
		"temperature":  {MapPolicyInput{Maze: mazeOf("puzzle-fork"), Sampling: domain.Sampling{Temperature: 11}}, domain.CodeInvalidArgument, "sampling.softmax.temperature"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := u.Run(t.Context(), c.in)
			wantError(t, err, c.code, c.field)
		})
	}
}

func TestAStreamThatIsDroppedLeavesNothing(t *testing.T) {
	b := newBench(t)
	for _, at := range []int{0, 1, 2} {
		events := 0
		for _, err := range b.run.Run(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), StepsPerSecond: 1000}) {
			if err != nil {
				t.Fatal(err)
			}
			if events == at {
				break
			}
			events++
		}
	}
	c := b.deps.Counters
	if c.LiveStreams.Load() != 0 || len(b.deps.Capacity.streams.slots) != 0 || len(b.log.records) != 0 {
		t.Error("a dropped stream is still there, or was logged")
	}
	if n := c.StreamsUnfinished.Load(); n != 2 { // the one that was dropped at its first message never started for its client
		t.Errorf("%d unfinished", n)
	}
	if uses := b.models.active.Load().uses.Load(); uses != 1 {
		t.Errorf("the model has %d uses", uses)
	}
}

func TestTheLogGetsItsDocumentWhenTheClientLeavesAtTheEnd(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for event, err := range b.run.Run(ctx, RunEpisodeInput{Maze: mazeOf("puzzle-corridor")}) {
			if err != nil {
				t.Fatal(err)
			}
			if event.Steps != nil {
				cancel() // while the last message is on its way
			}
		}
		if len(b.log.records) != 1 {
			t.Errorf("%d documents", len(b.log.records))
		}
	})
}

func TestCancellingTellsTheCause(t *testing.T) {
	b := newBench(t)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	p := played{}
	for event, err := range b.run.Run(ctx, RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), StepsPerSecond: 0.1}) {
		if err != nil {
			p.err = err
			break
		}
		p.take(event)
		if len(p.steps) == 1 {
			go cancel(domain.ErrDraining) // while it waits for the next step
		}
	}
	if !errors.Is(p.err, domain.ErrDraining) {
		t.Errorf("error %v", p.err)
	}
	if p := b.play(ctx, RunEpisodeInput{Maze: mazeOf("puzzle-hidden")}); !errors.Is(p.err, domain.ErrDraining) || p.started != nil {
		t.Errorf("a new stream gets %v", p.err)
	}
}

func TestWorkBeyondTheLimitsIsRefused(t *testing.T) {
	b := newBench(t)
	b.deps.Capacity = NewCapacity(Limits{Streams: 2, Replays: 1, Maps: 1, Wait: 10 * time.Millisecond})
	b.run = NewRunEpisode(b.deps)
	whole := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), MaxSteps: 1})
	resume := RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), AfterStep: 1, ResumeToken: whole.started.ResumeToken, ActionsDigest: domain.ActionsDigest(whole.actions())}
	exhausted := func(what string, err error) {
		t.Helper()
		if domain.CodeOf(err) != domain.CodeResourceExhausted {
			t.Errorf("%s gives %v", what, err)
		}
	}
	room := b.deps.Capacity

	room.replays.slots <- struct{}{}
	exhausted("a resume", b.play(t.Context(), resume).err)
	_, err := NewMapPolicy(b.deps).Run(t.Context(), MapPolicyInput{Maze: mazeOf("puzzle-hidden"), AfterStep: 1})
	exhausted("a map with a replay", err)
	room.replays.release()

	room.maps.slots <- struct{}{}
	_, err = NewMapPolicy(b.deps).Run(t.Context(), MapPolicyInput{Maze: mazeOf("puzzle-hidden")})
	exhausted("a map", err)
	exhausted("a stream with maps", b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), WithPolicyMap: true}).err)
	room.maps.release()

	room.streams.slots <- struct{}{}
	room.streams.slots <- struct{}{}
	exhausted("a third stream", b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")}).err)
	room.streams.release()
	if p := b.play(t.Context(), resume); p.err != nil {
		t.Errorf("there is room again: %v", p.err)
	}
	room.streams.release()
}

func TestAReplayThatWaitsIsGivenItsTurn(t *testing.T) {
	room := NewCapacity(Limits{Replays: 1, Wait: time.Minute})
	if err := room.replays.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	second := make(chan error)
	go func() { second <- room.replays.acquire(context.Background()) }()
	room.replays.release()
	if err := <-second; err != nil {
		t.Error(err)
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(domain.ErrDraining)
	if err := room.replays.acquire(ctx); !errors.Is(err, domain.ErrDraining) {
		t.Errorf("a caller who has gone gets %v", err)
	}
}

func TestManyEpisodesAtOnceDoNotMix(t *testing.T) {
	b := newBench(t)
	want := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")}).actions()
	var wait sync.WaitGroup
	for range 16 {
		wait.Go(func() {
			for range 20 {
				if p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")}); p.err != nil || string(p.actions()) != string(want) {
					t.Errorf("%v %v", p.err, p.actions())
				}
			}
		})
	}
	wait.Wait()
	if len(b.log.records) != 321 {
		t.Errorf("%d documents", len(b.log.records))
	}
}

func TestAResumeTokenTellsNothingToWhoLacksTheSecret(t *testing.T) {
	b := newBench(t)
	p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden")})
	if strings.ContainsAny(p.started.ResumeToken, "+/=") {
		t.Errorf("%q is not base64url", p.started.ResumeToken)
	}
	b.deps.Secrets = &memorySecrets{secret: []byte("another secret of thirty-two byt")}
	b.run = NewRunEpisode(b.deps)
	again := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), AfterStep: 1, ResumeToken: p.started.ResumeToken, ActionsDigest: domain.ActionsDigest(p.actions()[:1])})
	if !errors.Is(again.err, domain.ErrResumeToken) {
		t.Errorf("a token of another server gives %v", again.err)
	}
}
