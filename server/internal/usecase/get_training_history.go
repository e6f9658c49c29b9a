package usecase

import (
	"context"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// CurveKey names a figure of a run.
type CurveKey string

// The figures, in the order of a history.
const (
	CurveEpisodeReward  CurveKey = "episode_reward"
	CurveEpisodeLength  CurveKey = "episode_length"
	CurveEpisodeSuccess CurveKey = "episode_success"
	CurveLoss           CurveKey = "loss"
	CurveStepsPerSecond CurveKey = "steps_per_second"
	CurveCPUPercent     CurveKey = "cpu_percent"
	CurveMemoryBytes    CurveKey = "memory_bytes"
)

// KeyedCurve is one figure of a run.
type KeyedCurve struct {
	Key   CurveKey
	Curve domain.Curve
}

// TrainingHistory is a run with its curves, as it is kept.
type TrainingHistory struct {
	Training     domain.Training
	LastSequence int64
	Curves       []KeyedCurve // without one that has no point
	Checkpoints  []domain.TrainingCheckpoint
	Lines        []domain.TrainingEvent // changes of state and log lines, the last 1,000
}

const (
	defaultCurvePoints = 2000
	historyLines       = 1000
)

// GetTrainingHistory opens a run of any length at once.
type GetTrainingHistory struct {
	store   domain.TrainingStore
	opening semaphore
}

// NewGetTrainingHistory returns the use case. Only some long runs are read at one time: each is work for a tenth of a second, and some megabytes.
func NewGetTrainingHistory(store domain.TrainingStore) *GetTrainingHistory {
	const atOnce, wait = 8, 10 * time.Second
	return &GetTrainingHistory{store: store, opening: semaphore{slots: make(chan struct{}, atOnce), full: "too many trainings are being opened at once", wait: wait}}
}

// Run returns the run with curves of at most so many points each; 0 means 2,000. Its events are read once, some at a time. Errors: ErrTrainingNotFound; CodeResourceExhausted
// when too many are being opened.
func (u *GetTrainingHistory) Run(ctx context.Context, runID string, maxPoints int) (TrainingHistory, error) {
	if maxPoints <= 0 {
		maxPoints = defaultCurvePoints
	}
	training, err := u.store.GetTraining(ctx, runID)
	if err != nil {
		return TrainingHistory{}, err
	}
	if err := u.opening.acquire(ctx); err != nil {
		return TrainingHistory{}, err
	}
	defer u.opening.release()
	began := training.StartedAt
	if began.IsZero() {
		began = training.CreatedAt
	}
	h := newHistoryBuilder(began, maxPoints)
	for event, err := range u.store.AllEvents(ctx, runID, training.LastSequence) {
		if err != nil {
			return TrainingHistory{}, err
		}
		h.add(event)
	}
	return TrainingHistory{
		Training: training.Shown(), LastSequence: training.LastSequence,
		Curves: h.keyedCurves(), Checkpoints: h.checkpoints, Lines: h.lastLines(),
	}, nil
}

type historyBuilder struct {
	began       time.Time
	keys        []CurveKey
	curves      map[CurveKey]*domain.CurveBuilder
	checkpoints []domain.TrainingCheckpoint
	lines       []domain.TrainingEvent // twice as many as are wanted at most
}

func newHistoryBuilder(began time.Time, maxPoints int) *historyBuilder {
	h := &historyBuilder{began: began, curves: map[CurveKey]*domain.CurveBuilder{}, keys: []CurveKey{
		CurveEpisodeReward, CurveEpisodeLength, CurveEpisodeSuccess, CurveLoss, CurveStepsPerSecond, CurveCPUPercent, CurveMemoryBytes,
	}}
	for _, key := range h.keys {
		h.curves[key] = domain.NewCurveBuilder(maxPoints)
	}
	return h
}

func (h *historyBuilder) add(e domain.TrainingEvent) {
	switch {
	case e.Episodes != nil:
		h.addEpisodes(*e.Episodes, max(0, e.HappenedAt.Sub(h.began).Seconds()))
	case e.Checkpoint != nil:
		h.checkpoints = append(h.checkpoints, *e.Checkpoint)
	case e.Change != nil, e.Line != nil:
		h.lines = append(h.lines, e)
		if len(h.lines) >= 2*historyLines {
			h.lines = append(h.lines[:0], h.lines[len(h.lines)-historyLines:]...)
		}
	}
}

func (h *historyBuilder) addEpisodes(e domain.EpisodesEnded, elapsedS float64) {
	rewards, lengths, successes := h.curves[CurveEpisodeReward], h.curves[CurveEpisodeLength], h.curves[CurveEpisodeSuccess]
	c := e.Columns
	for i, timesteps := range c.Timesteps {
		rewards.Add(domain.CurvePoint{Timesteps: timesteps, Value: float64(c.Rewards[i]), ElapsedS: elapsedS})
		lengths.Add(domain.CurvePoint{Timesteps: timesteps, Value: float64(c.Lengths[i]), ElapsedS: elapsedS})
		success := 0.0
		if c.ReachedGoal[i] {
			success = 1
		}
		successes.Add(domain.CurvePoint{Timesteps: timesteps, Value: success, ElapsedS: elapsedS})
	}
	p := e.Progress
	if p == nil {
		return
	}
	at := func(value float64) domain.CurvePoint {
		return domain.CurvePoint{Timesteps: p.Timesteps, Value: value, ElapsedS: elapsedS}
	}
	if p.Loss != nil {
		h.curves[CurveLoss].Add(at(*p.Loss))
	}
	h.curves[CurveStepsPerSecond].Add(at(p.StepsPerSecond))
	h.curves[CurveCPUPercent].Add(at(p.CPUPercent))
	h.curves[CurveMemoryBytes].Add(at(float64(p.MemoryBytes)))
}

func (h *historyBuilder) keyedCurves() []KeyedCurve {
	var curves []KeyedCurve
	for _, key := range h.keys {
		if c := h.curves[key].Curve(); c.Points > 0 {
			curves = append(curves, KeyedCurve{Key: key, Curve: c})
		}
	}
	return curves
}

func (h *historyBuilder) lastLines() []domain.TrainingEvent {
	return h.lines[max(0, len(h.lines)-historyLines):]
}
