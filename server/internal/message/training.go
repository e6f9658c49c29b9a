// Package message maps trainings between the domain and the contract's messages. Three parts of the server need both ways: our own handlers, the
// client of a trainer, and the store, which keeps events in the contract's encoding. It knows no transport and no store.
package message

import (
	"time"

	"google.golang.org/protobuf/types/known/timestamppb"

	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Tables between the domain's words and the contract's numbers.
var (
	trainingStates = map[domain.TrainingState]trainingv1.TrainingState{
		domain.TrainingQueued:    trainingv1.TrainingState_TRAINING_STATE_QUEUED,
		domain.TrainingRunning:   trainingv1.TrainingState_TRAINING_STATE_RUNNING,
		domain.TrainingStopping:  trainingv1.TrainingState_TRAINING_STATE_STOPPING,
		domain.TrainingStopped:   trainingv1.TrainingState_TRAINING_STATE_STOPPED,
		domain.TrainingCompleted: trainingv1.TrainingState_TRAINING_STATE_COMPLETED,
		domain.TrainingFailed:    trainingv1.TrainingState_TRAINING_STATE_FAILED,
	}
	trainingPhases = map[domain.TrainingPhase]trainingv1.TrainingPhase{
		domain.PhaseNone:        trainingv1.TrainingPhase_TRAINING_PHASE_UNSPECIFIED,
		domain.PhasePreparing:   trainingv1.TrainingPhase_TRAINING_PHASE_PREPARING,
		domain.PhaseLearning:    trainingv1.TrainingPhase_TRAINING_PHASE_LEARNING,
		domain.PhaseExporting:   trainingv1.TrainingPhase_TRAINING_PHASE_EXPORTING,
		domain.PhaseEvaluating:  trainingv1.TrainingPhase_TRAINING_PHASE_EVALUATING,
		domain.PhaseRegistering: trainingv1.TrainingPhase_TRAINING_PHASE_REGISTERING,
	}
	logLevels = map[domain.LogLevel]trainingv1.LogLevel{
		domain.LogInfo:    trainingv1.LogLevel_LOG_LEVEL_INFO,
		domain.LogWarning: trainingv1.LogLevel_LOG_LEVEL_WARNING,
		domain.LogError:   trainingv1.LogLevel_LOG_LEVEL_ERROR,
	}
	algorithms = map[domain.Algorithm]modelv1.Algorithm{
		domain.AlgorithmPPO: modelv1.Algorithm_ALGORITHM_PPO,
		domain.AlgorithmDQN: modelv1.Algorithm_ALGORITHM_DQN,
	}

	trainingStatesOfContract = inverse(trainingStates)
	trainingPhasesOfContract = inverse(trainingPhases)
	logLevelsOfContract      = inverse(logLevels)
	algorithmsOfContract     = inverse(algorithms)
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

func timeOf(t *timestamppb.Timestamp) time.Time {
	if t == nil {
		return time.Time{}
	}
	return t.AsTime()
}

// ToTraining maps a run.
func ToTraining(t domain.Training) *trainingv1.Training {
	m := &trainingv1.Training{
		RunId:          t.RunID,
		State:          trainingStates[t.State],
		Phase:          trainingPhases[t.Phase],
		Failure:        t.Failure,
		Name:           t.Name,
		Title:          t.Title,
		Algorithm:      algorithms[t.Algorithm],
		Observation:    string(t.Observation),
		TotalTimesteps: t.TotalTimesteps,
		Seed:           t.Seed,
		Device:         t.Device,
		ConfigYaml:     t.ConfigYAML,
		QueuePosition:  int32(t.QueuePosition),
		CreatedAt:      timestamp(t.CreatedAt),
		StartedAt:      timestamp(t.StartedAt),
		EndedAt:        timestamp(t.EndedAt),
		LastSequence:   t.LastSequence,
		Latest:         ToProgress(t.Latest),
		BestCheckpoint: ToCheckpoint(t.BestCheckpoint),
		HeldOut:        ToSuccess(t.HeldOut),
		ModelId:        t.ModelID,
		ResumedFrom:    t.ResumedFrom,
		Resumable:      t.Resumable,
		Notices:        t.Notices,
		Trainer:        t.Trainer,
		MlflowRunId:    t.MLflowRunID,
	}
	return m
}

// FromTraining maps what a trainer says of a run.
func FromTraining(m *trainingv1.Training) domain.Training {
	return domain.Training{
		RunID:          m.GetRunId(),
		Trainer:        m.GetTrainer(),
		State:          trainingStatesOfContract[m.GetState()],
		Phase:          trainingPhasesOfContract[m.GetPhase()],
		Failure:        m.GetFailure(),
		Name:           m.GetName(),
		Title:          m.GetTitle(),
		Algorithm:      algorithmsOfContract[m.GetAlgorithm()],
		Observation:    domain.ObservationVersion(m.GetObservation()),
		TotalTimesteps: m.GetTotalTimesteps(),
		Seed:           m.GetSeed(),
		Device:         m.GetDevice(),
		ConfigYAML:     m.GetConfigYaml(),
		QueuePosition:  int(m.GetQueuePosition()),
		CreatedAt:      timeOf(m.GetCreatedAt()),
		StartedAt:      timeOf(m.GetStartedAt()),
		EndedAt:        timeOf(m.GetEndedAt()),
		LastSequence:   m.GetLastSequence(),
		Latest:         FromProgress(m.GetLatest()),
		BestCheckpoint: FromCheckpoint(m.GetBestCheckpoint()),
		HeldOut:        FromSuccess(m.GetHeldOut()),
		ModelID:        m.GetModelId(),
		ResumedFrom:    m.GetResumedFrom(),
		Resumable:      m.GetResumable(),
		Notices:        m.GetNotices(),
		MLflowRunID:    m.GetMlflowRunId(),
	}
}

// ToProgress maps a progress; nil stays nil.
func ToProgress(p *domain.TrainingProgress) *trainingv1.TrainingProgress {
	if p == nil {
		return nil
	}
	return &trainingv1.TrainingProgress{
		Timesteps:      p.Timesteps,
		Episodes:       p.Episodes,
		Reward:         p.Reward,
		EpisodeLength:  p.EpisodeLength,
		SuccessRate:    p.SuccessRate,
		Loss:           p.Loss,
		StepsPerSecond: p.StepsPerSecond,
		CpuPercent:     p.CPUPercent,
		MemoryBytes:    p.MemoryBytes,
	}
}

// FromProgress maps a progress; nil stays nil.
func FromProgress(m *trainingv1.TrainingProgress) *domain.TrainingProgress {
	if m == nil {
		return nil
	}
	return &domain.TrainingProgress{
		Timesteps:      m.GetTimesteps(),
		Episodes:       m.GetEpisodes(),
		Reward:         m.Reward,
		EpisodeLength:  m.EpisodeLength,
		SuccessRate:    m.SuccessRate,
		Loss:           m.Loss,
		StepsPerSecond: m.GetStepsPerSecond(),
		CPUPercent:     m.GetCpuPercent(),
		MemoryBytes:    m.GetMemoryBytes(),
	}
}

// ToCheckpoint maps a checkpoint; nil stays nil.
func ToCheckpoint(c *domain.TrainingCheckpoint) *trainingv1.TrainingCheckpoint {
	if c == nil {
		return nil
	}
	m := &trainingv1.TrainingCheckpoint{Timesteps: c.Timesteps, Validation: ToSuccess(c.Validation)}
	if c.Probe != nil {
		m.Probe = &trainingv1.ProbeEpisode{MazeId: c.Probe.MazeID, Actions: c.Probe.Actions, ReachedGoal: c.Probe.ReachedGoal}
	}
	return m
}

// FromCheckpoint maps a checkpoint; nil stays nil.
func FromCheckpoint(m *trainingv1.TrainingCheckpoint) *domain.TrainingCheckpoint {
	if m == nil {
		return nil
	}
	c := &domain.TrainingCheckpoint{Timesteps: m.GetTimesteps(), Validation: FromSuccess(m.GetValidation())}
	if probe := m.GetProbe(); probe != nil {
		c.Probe = &domain.ProbeEpisode{MazeID: probe.GetMazeId(), Actions: probe.GetActions(), ReachedGoal: probe.GetReachedGoal()}
	}
	return c
}

// ToSuccess maps a success rate; rate and interval follow from the counts. Nil stays nil.
func ToSuccess(s *domain.SuccessRate) *modelv1.SuccessRate {
	if s == nil {
		return nil
	}
	m := &modelv1.SuccessRate{
		SetId:     s.SetID,
		SetHash:   s.SetHash,
		Episodes:  int32(s.Episodes),
		Successes: int32(s.Successes),
		MeanSteps: s.MeanSteps,
		Spl:       s.SPL,
	}
	if s.Episodes > 0 {
		m.Rate = s.Rate()
		m.IntervalLow, m.IntervalHigh = domain.Wilson95(s.Successes, s.Episodes)
	}
	return m
}

// FromSuccess maps a success rate; nil stays nil.
func FromSuccess(m *modelv1.SuccessRate) *domain.SuccessRate {
	if m == nil {
		return nil
	}
	return &domain.SuccessRate{
		SetID:     m.GetSetId(),
		SetHash:   m.GetSetHash(),
		Episodes:  int(m.GetEpisodes()),
		Successes: int(m.GetSuccesses()),
		MeanSteps: m.GetMeanSteps(),
		SPL:       m.GetSpl(),
	}
}
