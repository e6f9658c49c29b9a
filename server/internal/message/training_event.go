package message

import (
	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ToEvents maps events. The columns of episodes are shared, not copied.
func ToEvents(events []domain.TrainingEvent) *trainingv1.TrainingEvents {
	m := &trainingv1.TrainingEvents{Events: make([]*trainingv1.TrainingEvent, len(events))}
	for i := range events {
		m.Events[i] = ToEvent(events[i])
	}
	return m
}

// FromEvents maps events. The columns of episodes are shared, not copied.
func FromEvents(m *trainingv1.TrainingEvents) []domain.TrainingEvent {
	events := make([]domain.TrainingEvent, len(m.GetEvents()))
	for i, e := range m.GetEvents() {
		events[i] = FromEvent(e)
	}
	return events
}

// ToEvent maps one event.
func ToEvent(e domain.TrainingEvent) *trainingv1.TrainingEvent {
	m := &trainingv1.TrainingEvent{Sequence: e.Sequence, HappenedAt: timestamp(e.HappenedAt)}
	switch {
	case e.Change != nil:
		m.Event = &trainingv1.TrainingEvent_StateChange{StateChange: &trainingv1.StateChange{
			State: trainingStates[e.Change.State], Phase: trainingPhases[e.Change.Phase], Reason: e.Change.Reason,
		}}
	case e.Episodes != nil:
		c := &e.Episodes.Columns
		m.Event = &trainingv1.TrainingEvent_EpisodesEnded{EpisodesEnded: &trainingv1.EpisodesEnded{
			Episodes: &trainingv1.EpisodeColumns{
				FirstEpisode: c.FirstEpisode, Timesteps: c.Timesteps, Rewards: c.Rewards, Lengths: c.Lengths, ReachedGoal: c.ReachedGoal,
			},
			Progress: ToProgress(e.Episodes.Progress),
		}}
	case e.Checkpoint != nil:
		m.Event = &trainingv1.TrainingEvent_Checkpoint{Checkpoint: ToCheckpoint(e.Checkpoint)}
	case e.Line != nil:
		m.Event = &trainingv1.TrainingEvent_LogLine{LogLine: &trainingv1.LogLine{Level: logLevels[e.Line.Level], Text: e.Line.Text}}
	case e.Facts != nil:
		m.Event = &trainingv1.TrainingEvent_Facts{Facts: &trainingv1.TrainingFacts{
			ModelId: e.Facts.ModelID, MlflowRunId: e.Facts.MLflowRunID, HeldOut: ToSuccess(e.Facts.HeldOut), Notices: e.Facts.Notices,
		}}
	}
	return m
}

// FromEvent maps one event. Columns of different lengths, which no trainer of ours sends, are cut to the shortest.
func FromEvent(m *trainingv1.TrainingEvent) domain.TrainingEvent {
	e := domain.TrainingEvent{Sequence: m.GetSequence(), HappenedAt: timeOf(m.GetHappenedAt())}
	switch kind := m.GetEvent().(type) {
	case *trainingv1.TrainingEvent_StateChange:
		c := kind.StateChange
		e.Change = &domain.StateChange{
			State: trainingStatesOfContract[c.GetState()], Phase: trainingPhasesOfContract[c.GetPhase()], Reason: c.GetReason(),
		}
	case *trainingv1.TrainingEvent_EpisodesEnded:
		c := kind.EpisodesEnded.GetEpisodes()
		n := min(len(c.GetTimesteps()), len(c.GetRewards()), len(c.GetLengths()), len(c.GetReachedGoal()))
		e.Episodes = &domain.EpisodesEnded{
			Columns: domain.EpisodeColumns{
				FirstEpisode: c.GetFirstEpisode(),
				Timesteps:    c.GetTimesteps()[:n],
				Rewards:      c.GetRewards()[:n],
				Lengths:      c.GetLengths()[:n],
				ReachedGoal:  c.GetReachedGoal()[:n],
			},
			Progress: FromProgress(kind.EpisodesEnded.GetProgress()),
		}
	case *trainingv1.TrainingEvent_Checkpoint:
		e.Checkpoint = FromCheckpoint(kind.Checkpoint)
	case *trainingv1.TrainingEvent_LogLine:
		e.Line = &domain.LogLine{Level: logLevelsOfContract[kind.LogLine.GetLevel()], Text: kind.LogLine.GetText()}
	case *trainingv1.TrainingEvent_Facts:
		f := kind.Facts
		e.Facts = &domain.TrainingFacts{
			ModelID: f.GetModelId(), MLflowRunID: f.GetMlflowRunId(), HeldOut: FromSuccess(f.GetHeldOut()), Notices: f.GetNotices(),
		}
	}
	return e
}
