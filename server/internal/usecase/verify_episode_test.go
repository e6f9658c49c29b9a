package usecase

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// provable are inputs of every kind that the log keeps.
var provable = map[string]RunEpisodeInput{
	"greedy":   {Maze: mazeOf("puzzle-hidden"), Seed: seedOf(1)},
	"second":   {Maze: mazeOf("puzzle-fork"), Seed: seedOf(1), Policy: domain.PolicyRef{ModelID: "second-1"}},
	"softmax":  {Maze: mazeOf("puzzle-hidden"), Seed: seedOf(2), Sampling: domain.Sampling{Temperature: 0.3}},
	"random":   {Maze: mazeOf("generated-6x6-3"), Seed: seedOf(3), Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}},
	"follower": {Maze: mazeOf("puzzle-corridor"), Policy: domain.PolicyRef{Baseline: domain.BaselineWallFollower}},
	"drawn":    {Maze: domain.MazeRef{Drawn: []string{"S..", "##.", "G.."}}},
}

// record plays an episode and returns what the log has of it.
func (b *bench) record(t *testing.T, in RunEpisodeInput) (played, domain.EpisodeRecord) {
	t.Helper()
	p := b.play(t.Context(), in)
	if p.err != nil || p.finished == nil || !p.finished.Logged {
		t.Fatalf("played %+v", p)
	}
	return p, b.log.records[p.started.EpisodeID]
}

func TestEveryLoggedEpisodeIsProvenIdentical(t *testing.T) {
	b := newBench(t)
	u := NewVerifyEpisode(b.deps)
	for name, in := range provable {
		p, r := b.record(t, in)
		appended := b.log.appended
		out, err := u.Run(t.Context(), r.EpisodeID)
		if err != nil || !out.Proof.Identical() || out.Again.Steps() != len(p.steps) || !out.Logged.SameContent(r) {
			t.Errorf("%s: %+v, %v", name, out.Proof, err)
		}
		if b.log.appended != appended {
			t.Errorf("%s: the proof wrote to the log", name)
		}
	}
}

func TestATamperedEpisodeIsCaught(t *testing.T) {
	b := newBench(t)
	u := NewVerifyEpisode(b.deps)
	_, r := b.record(t, provable["softmax"])
	for name, c := range map[string]struct {
		change func(*domain.EpisodeRecord)
		step   int // −1: any
		field  string
	}{
		"action":       {func(r *domain.EpisodeRecord) { r.Actions[4] ^= 1 }, 5, ""},
		"last action":  {func(r *domain.EpisodeRecord) { r.Actions = r.Actions[:len(r.Actions)-1] }, len(r.Actions), ""},
		"seed":         {func(r *domain.EpisodeRecord) { r.Seed += 1000 }, -1, ""},
		"steps":        {func(r *domain.EpisodeRecord) { r.Steps-- }, 0, "steps"},
		"bumps":        {func(r *domain.EpisodeRecord) { r.Bumps++ }, 0, "bumps"},
		"outcome":      {func(r *domain.EpisodeRecord) { r.Outcome = "" }, 0, "outcome"},
		"total reward": {func(r *domain.EpisodeRecord) { r.TotalReward = 0.5 }, 0, "total_reward"},
		"spl":          {func(r *domain.EpisodeRecord) { r.SPL = 1.5 }, 0, "spl"},
	} {
		tampered := r
		tampered.Actions = slices.Clone(r.Actions)
		c.change(&tampered)
		b.log.records[r.EpisodeID] = tampered
		out, err := u.Run(t.Context(), r.EpisodeID)
		p := out.Proof
		if err != nil || p.Identical() || c.step >= 0 && p.FirstDifferentStep != c.step || c.step == -1 && p.FirstDifferentStep == 0 || c.field != "" && !slices.Equal(p.DifferentFields, []string{c.field}) {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
}

func TestAnEpisodeThatCannotBeRunAgainSaysWhy(t *testing.T) {
	b := newBench(t)
	u, again := NewVerifyEpisode(b.deps), NewReplayEpisode(b.run)
	_, r := b.record(t, provable["greedy"])
	_, drawn := b.record(t, provable["drawn"])
	for name, c := range map[string]struct {
		of     domain.EpisodeRecord
		change func(*domain.EpisodeRecord)
		rule   string
	}{
		"the model is gone":          {r, func(r *domain.EpisodeRecord) { r.ModelID = "third-1" }, "episode.model_gone"},
		"the model sees otherwise":   {r, func(r *domain.EpisodeRecord) { r.Observation = domain.ObservationMemory }, "model.replaced"},
		"nobody acted":               {r, func(r *domain.EpisodeRecord) { r.ModelID = "" }, "episode.damaged"},
		"two acted":                  {r, func(r *domain.EpisodeRecord) { r.Baseline = domain.BaselineRandom }, "episode.damaged"},
		"an unknown baseline":        {r, func(r *domain.EpisodeRecord) { r.ModelID, r.Baseline = "", "nobody" }, "episode.damaged"},
		"the maze is gone":           {r, func(r *domain.EpisodeRecord) { r.MazeID = "puzzle-9" }, "episode.maze_gone"},
		"the maze is another":        {r, func(r *domain.EpisodeRecord) { r.MazeID = "puzzle-fork" }, "episode.maze_changed"},
		"a generated one is another": {r, func(r *domain.EpisodeRecord) { r.MazeID = "generated-6x6-3" }, "episode.maze_changed"},
		"the drawing is another":     {drawn, func(r *domain.EpisodeRecord) { r.MazeRows = []string{"S..", "...", "G.."} }, "episode.maze_changed"},
		"the drawing is none":        {drawn, func(r *domain.EpisodeRecord) { r.MazeRows = nil }, "episode.damaged"},
	} {
		tampered := c.of
		c.change(&tampered)
		b.log.records[tampered.EpisodeID] = tampered
		_, err := u.Run(t.Context(), tampered.EpisodeID)
		p := b.replayed(t.Context(), again, ReplayEpisodeInput{EpisodeID: tampered.EpisodeID})
		b.log.records[c.of.EpisodeID] = c.of
		for way, err := range map[string]error{"verify": err, "replay": p.err} {
			e, ok := errors.AsType[*domain.Error](err)
			if !ok || e.Code != domain.CodeFailedPrecondition || e.Field != "episode_id" || e.Rule != c.rule || e.Message == "" || p.started != nil {
				t.Errorf("%s, %s: %v", name, way, err)
			}
		}
	}
	if _, err := u.Run(t.Context(), "0193aaaa-0000-7000-8000-000000000000"); !errors.Is(err, domain.ErrEpisodeUnknown) {
		t.Errorf("an unknown episode: %v", err)
	}
	b.log.findErr = domain.Unavailable("mongodb", errors.New("refused"))
	if _, err := u.Run(t.Context(), r.EpisodeID); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("while the log is away: %v", err)
	}
}

func TestABrokenModelCannotProveItsEpisodes(t *testing.T) {
	b := newBench(t)
	_, r := b.record(t, provable["second"])
	b.models.Close() // nothing is kept
	m := b.store.bundles["second-1"].Model
	m.State, m.StateReason = domain.ModelStateBroken, "its file was cut short"
	if err := b.registry.RegisterModel(t.Context(), m); err != nil {
		t.Fatal(err)
	}
	_, err := NewVerifyEpisode(b.deps).Run(t.Context(), r.EpisodeID)
	if e, ok := errors.AsType[*domain.Error](err); !ok || e.Code != domain.CodeFailedPrecondition || e.Field != "episode_id" || e.Rule != domain.ErrModelBroken.Rule {
		t.Errorf("%v", err)
	}
}

func TestProofsCountAsReplays(t *testing.T) {
	b := newBench(t)
	_, r := b.record(t, provable["greedy"])
	b.deps.Capacity = NewCapacity(Limits{Replays: 1, Wait: 10 * time.Millisecond})
	u := NewVerifyEpisode(b.deps)
	if err := b.deps.Capacity.replays.acquire(t.Context()); err != nil {
		t.Fatal(err)
	}
	if _, err := u.Run(t.Context(), r.EpisodeID); domain.CodeOf(err) != domain.CodeResourceExhausted {
		t.Errorf("with no room left: %v", err)
	}
	b.deps.Capacity.replays.release()
	if _, err := u.Run(t.Context(), r.EpisodeID); err != nil {
		t.Error(err)
	}
	if loaded := b.models.Loaded(); loaded != 1 {
		t.Errorf("%d models are loaded; a proof kept one", loaded)
	}
}
