package rpc

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// Tables between the domain's words and the contract's numbers.
var (
	difficulties = map[domain.Difficulty]mazev1.Difficulty{
		domain.DifficultyAny:    mazev1.Difficulty_DIFFICULTY_UNSPECIFIED,
		domain.DifficultyEasy:   mazev1.Difficulty_DIFFICULTY_EASY,
		domain.DifficultyMedium: mazev1.Difficulty_DIFFICULTY_MEDIUM,
		domain.DifficultyHard:   mazev1.Difficulty_DIFFICULTY_HARD,
	}
	baselines = map[domain.Baseline]inferencev1.Baseline{
		domain.BaselineNone:                 inferencev1.Baseline_BASELINE_UNSPECIFIED,
		domain.BaselineRandom:               inferencev1.Baseline_BASELINE_RANDOM,
		domain.BaselineWallFollower:         inferencev1.Baseline_BASELINE_WALL_FOLLOWER,
		domain.BaselineLeastRecentlyVisited: inferencev1.Baseline_BASELINE_LEAST_RECENTLY_VISITED,
		domain.BaselineTrailHeuristic:       inferencev1.Baseline_BASELINE_TRAIL_HEURISTIC,
		domain.BaselineMemoryHeuristic:      inferencev1.Baseline_BASELINE_MEMORY_HEURISTIC,
		domain.BaselineNearestFrontier:      inferencev1.Baseline_BASELINE_NEAREST_FRONTIER,
		domain.BaselineShortestPath:         inferencev1.Baseline_BASELINE_SHORTEST_PATH,
	}
	scoreKinds = map[domain.ScoreKind]inferencev1.ScoreKind{
		domain.ScoreKindQValue: inferencev1.ScoreKind_SCORE_KIND_Q_VALUE,
		domain.ScoreKindLogit:  inferencev1.ScoreKind_SCORE_KIND_LOGIT,
	}
	outcomes = map[domain.Outcome]inferencev1.Outcome{
		domain.OutcomeReachedGoal: inferencev1.Outcome_OUTCOME_REACHED_GOAL,
		domain.OutcomeStepLimit:   inferencev1.Outcome_OUTCOME_STEP_LIMIT,
	}
	algorithms = map[domain.Algorithm]modelv1.Algorithm{
		domain.AlgorithmPPO: modelv1.Algorithm_ALGORITHM_PPO,
		domain.AlgorithmDQN: modelv1.Algorithm_ALGORITHM_DQN,
	}
	modelStates = map[domain.ModelState]modelv1.ModelState{
		domain.ModelStateReady:  modelv1.ModelState_MODEL_STATE_READY,
		domain.ModelStateBroken: modelv1.ModelState_MODEL_STATE_BROKEN,
	}
	gateOutcomes = map[domain.GateOutcome]modelv1.GateOutcome{
		domain.GatePassed:        modelv1.GateOutcome_GATE_OUTCOME_PASSED,
		domain.GateFailed:        modelv1.GateOutcome_GATE_OUTCOME_FAILED,
		domain.GateNotComparable: modelv1.GateOutcome_GATE_OUTCOME_NOT_COMPARABLE,
	}

	baselinesOfContract    = inverse(baselines)
	difficultiesOfContract = inverse(difficulties)
	outcomesOfContract     = inverse(outcomes)
)

func inverse[K, V comparable](table map[K]V) map[V]K {
	inverted := make(map[V]K, len(table))
	for k, v := range table {
		inverted[v] = k
	}
	return inverted
}

// timestamp leaves unknown times out instead of writing the year 1.
func timestamp(t time.Time) *timestamppb.Timestamp {
	if t.IsZero() {
		return nil
	}
	return timestamppb.New(t)
}

func toCell(c domain.Cell) *mazev1.Cell {
	return &mazev1.Cell{Row: int32(c.Row), Col: int32(c.Col)}
}

func toMaze(m *domain.Maze) *mazev1.Maze {
	return &mazev1.Maze{
		MazeId:       m.ID,
		SetId:        m.SetID,
		Rows:         m.Rows(),
		Start:        toCell(m.Start()),
		Goal:         toCell(m.Goal()),
		ShortestPath: int32(m.ShortestPath()),
		Difficulty:   difficulties[m.Difficulty()],
		MaxSteps:     int32(m.MaxSteps()),
		Hash:         m.Hash(),
		Seed:         m.Seed,
		LoopRatio:    m.LoopRatio,
		Title:        m.Title,
		Tests:        m.Tests,
	}
}

func toMazes(mazes []*domain.Maze) []*mazev1.Maze {
	mapped := make([]*mazev1.Maze, len(mazes))
	for i, m := range mazes {
		mapped[i] = toMaze(m)
	}
	return mapped
}

func toMazeSet(s domain.MazeSet) *mazev1.MazeSet {
	return &mazev1.MazeSet{
		SetId:          s.ID,
		Description:    s.Description,
		MazeCount:      int32(len(s.Mazes)),
		Rows:           int32(s.Rows),
		Cols:           int32(s.Cols),
		SeenInTraining: s.SeenInTraining,
		Hash:           s.Hash,
	}
}

func toMazeProblem(p domain.MazeProblem) *mazev1.MazeProblem {
	problem := &mazev1.MazeProblem{Rule: p.Rule, Message: p.Message}
	for _, c := range p.Cells {
		problem.Cells = append(problem.Cells, toCell(c))
	}
	return problem
}

func fromMazeRef(ref *mazev1.MazeRef) domain.MazeRef {
	if drawn := ref.GetDrawn(); drawn != nil {
		return domain.MazeRef{Drawn: drawn.GetRows()}
	}
	return domain.MazeRef{ID: ref.GetMazeId()}
}

func fromPolicyRef(ref *inferencev1.PolicyRef) domain.PolicyRef {
	return domain.PolicyRef{ModelID: ref.GetModelId(), Baseline: baselinesOfContract[ref.GetBaseline()]}
}

func toPolicyRef(ref domain.PolicyRef) *inferencev1.PolicyRef {
	if ref.Baseline != domain.BaselineNone {
		return &inferencev1.PolicyRef{Policy: &inferencev1.PolicyRef_Baseline{Baseline: baselines[ref.Baseline]}}
	}
	return &inferencev1.PolicyRef{Policy: &inferencev1.PolicyRef_ModelId{ModelId: ref.ModelID}}
}

func fromSampling(s *inferencev1.Sampling) domain.Sampling {
	return domain.Sampling{Temperature: s.GetSoftmax().GetTemperature()}
}

func toSampling(s domain.Sampling) *inferencev1.Sampling {
	if s.Temperature == 0 {
		return &inferencev1.Sampling{Sampling: &inferencev1.Sampling_Greedy{Greedy: &inferencev1.Greedy{}}}
	}
	return &inferencev1.Sampling{Sampling: &inferencev1.Sampling_Softmax{Softmax: &inferencev1.Softmax{Temperature: s.Temperature}}}
}

func toPolicyMap(m *domain.PolicyMap) *inferencev1.PolicyMap {
	if m == nil {
		return nil
	}
	return &inferencev1.PolicyMap{AtStep: int32(m.AtStep), Kind: scoreKinds[m.Kind], Cells: m.Cells, Values: m.Values, StateValues: m.StateValues}
}

func toActionScores(s *usecase.ScoredObservation) *inferencev1.ActionScores {
	return &inferencev1.ActionScores{
		Kind:          scoreKinds[s.Scores.Kind],
		Values:        s.Scores.Values[:],
		Probabilities: s.Probabilities[:],
		StateValue:    s.Scores.StateValue,
	}
}

func toModel(m domain.Model, active bool) *modelv1.Model {
	model := &modelv1.Model{
		ModelId:      m.ID,
		Name:         m.Name,
		Version:      int32(m.Version),
		Title:        m.Title,
		Description:  m.Description,
		State:        modelStates[m.State],
		StateReason:  m.StateReason,
		Active:       active,
		Algorithm:    algorithms[m.Algorithm],
		Observation:  string(m.Observation),
		ScoreKind:    scoreKinds[m.ScoreKind],
		TrainedAt:    timestamp(m.TrainedAt),
		RegisteredAt: timestamp(m.RegisteredAt),
		Timesteps:    m.Timesteps,
		TrainingRun:  m.TrainingRun,
		Seed:         m.Seed,
		Sha256:       m.SHA256,
		SizeBytes:    m.SizeBytes,
		Opset:        int32(m.Opset),
		Config:       m.Config,
	}
	for _, s := range m.Success {
		model.Success = append(model.Success, toSuccessRate(s))
	}
	return model
}

func toSuccessRate(s domain.SuccessRate) *modelv1.SuccessRate {
	low, high := domain.Wilson95(s.Successes, s.Episodes)
	return &modelv1.SuccessRate{
		SetId:        s.SetID,
		SetHash:      s.SetHash,
		Episodes:     int32(s.Episodes),
		Successes:    int32(s.Successes),
		Rate:         s.Rate(),
		IntervalLow:  low,
		IntervalHigh: high,
		MeanSteps:    s.MeanSteps,
		Spl:          s.SPL,
	}
}

func toActivation(a domain.Activation) *modelv1.Activation {
	return &modelv1.Activation{
		ModelId:            a.ModelID,
		PreviousModelId:    a.PreviousModelID,
		Reason:             a.Reason,
		ActivatedAt:        timestamp(a.ActivatedAt),
		ActivationId:       a.ID,
		Actor:              a.Actor,
		OverrideReason:     a.OverrideReason,
		UndoneActivationId: a.Undoes,
		Parity:             toParityEvidence(a.Parity),
		Success:            toSuccessEvidence(a.Success, a.ModelID, a.PreviousModelID),
	}
}

// toParityEvidence leaves out what nobody measured.
func toParityEvidence(e domain.ParityEvidence) *modelv1.ParityEvidence {
	if e.Vectors == 0 {
		return nil
	}
	return &modelv1.ParityEvidence{Vectors: int32(e.Vectors), LargestDeviation: e.LargestDeviation, AllowedDeviation: domain.ParityTolerance}
}

// toSuccessEvidence leaves out what could not be compared.
func toSuccessEvidence(e domain.SuccessEvidence, candidateID, activeID string) *modelv1.SuccessEvidence {
	if e.SetID == "" {
		return nil
	}
	return &modelv1.SuccessEvidence{
		SetId:     e.SetID,
		SetHash:   e.SetHash,
		Candidate: toSuccessCount(candidateID, e.Successes, e.Episodes),
		Active:    toSuccessCount(activeID, e.PreviousSuccesses, e.PreviousEpisodes),
	}
}

func toSuccessCount(modelID string, successes, episodes int) *modelv1.SuccessCount {
	low, high := domain.Wilson95(successes, episodes)
	return &modelv1.SuccessCount{ModelId: modelID, Episodes: int32(episodes), Successes: int32(successes), IntervalLow: low, IntervalHigh: high}
}

func toSwitchRefused(r *domain.SwitchRefused) *modelv1.SwitchRefused {
	refused := &modelv1.SwitchRefused{ModelId: r.ModelID, Overridable: r.Overridable()}
	for _, c := range r.Checks {
		check := &modelv1.GateCheck{Outcome: gateOutcomes[c.Outcome], Message: c.Message, Overridable: c.Overridable}
		if parity := toParityEvidence(c.Parity); parity != nil {
			check.Evidence = &modelv1.GateCheck_Parity{Parity: parity}
		}
		if success := toSuccessEvidence(c.Success, r.ModelID, r.ActiveModelID); success != nil {
			check.Evidence = &modelv1.GateCheck_Success{Success: success}
		}
		refused.Checks = append(refused.Checks, check)
	}
	return refused
}

// toActiveModelChanged has no activation where no model is active.
func toActiveModelChanged(c *domain.ActiveModelChanged) *modelv1.ActiveModelChanged {
	if c.Activation.ID == 0 {
		return &modelv1.ActiveModelChanged{}
	}
	return &modelv1.ActiveModelChanged{Activation: toActivation(c.Activation)}
}
