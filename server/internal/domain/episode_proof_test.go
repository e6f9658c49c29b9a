package domain

import (
	"slices"
	"testing"
)

// walked returns the episode of these actions on a corridor, and its record.
func walked(t *testing.T, actions ...Action) (*Episode, EpisodeRecord) {
	t.Helper()
	maze, problems := ParseMaze([]string{"S...G", "#####", "#####"})
	if problems != nil {
		t.Fatal(problems)
	}
	e := NewEpisode(maze)
	for _, a := range actions {
		e.Apply(a)
	}
	return e, EpisodeRecord{
		Steps: e.Steps(), Bumps: e.Bumps(), Outcome: e.Outcome(), TotalReward: e.TotalReward(), SPL: e.SPL(), Actions: slices.Clone(e.Actions()),
	}
}

func TestAProofNamesTheFirstStepAndEveryFieldThatDiffer(t *testing.T) {
	e, logged := walked(t, ActionUp, ActionRight, ActionRight, ActionRight, ActionRight)
	for name, c := range map[string]struct {
		change func(*EpisodeRecord)
		step   int
		fields []string
		rule   string
	}{
		"nothing":         {func(*EpisodeRecord) {}, 0, nil, ""},
		"the first step":  {func(r *EpisodeRecord) { r.Actions[0] = byte(ActionLeft) }, 1, nil, "episode.step_differs"},
		"the last step":   {func(r *EpisodeRecord) { r.Actions[4] = byte(ActionDown) }, 5, nil, "episode.step_differs"},
		"two steps":       {func(r *EpisodeRecord) { r.Actions[3], r.Actions[1] = 0, 0 }, 2, nil, "episode.step_differs"},
		"a missing step":  {func(r *EpisodeRecord) { r.Actions = r.Actions[:4] }, 5, nil, "episode.step_differs"},
		"a step too many": {func(r *EpisodeRecord) { r.Actions = append(r.Actions, 0) }, 6, nil, "episode.step_differs"},
		"the result": {func(r *EpisodeRecord) {
			r.Steps, r.Bumps, r.Outcome, r.TotalReward, r.SPL = 4, 0, OutcomeStepLimit, 0, 1
		}, 0, []string{"steps", "bumps", "outcome", "total_reward", "spl"}, "episode.result_differs"},
		"the reward": {func(r *EpisodeRecord) { r.TotalReward += 1e-12 }, 0, []string{"total_reward"}, "episode.result_differs"},
	} {
		record := logged
		record.Actions = slices.Clone(logged.Actions)
		c.change(&record)
		p := record.Prove(e)
		if p.FirstDifferentStep != c.step || !slices.Equal(p.DifferentFields, c.fields) || p.Identical() != (c.rule == "") {
			t.Errorf("%s: %+v", name, p)
		}
		switch err, _ := p.Err().(*Error); { //nolint:errorlint // nothing wraps it
		case err == nil && c.rule != "", err != nil && (err.Rule != c.rule || err.Code != CodeFailedPrecondition):
			t.Errorf("%s: error %v, want %q", name, err, c.rule)
		}
	}
}

func TestAStepThatDiffersIsNamedWithBothActions(t *testing.T) {
	e, record := walked(t, ActionRight, ActionRight, ActionRight, ActionRight)
	record.Actions[1] = byte(ActionUp)
	p := record.Prove(e)
	if got, want := p.Err().Error(), "step 2 differs: UP is logged, and running the episode again gives RIGHT"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	record.Actions = record.Actions[:0]
	p = record.Prove(e)
	if got, want := p.Err().Error(), "step 1 differs: no step is logged, and running the episode again gives RIGHT"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
