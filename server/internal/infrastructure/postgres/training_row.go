package postgres

import (
	"fmt"

	"google.golang.org/protobuf/proto"

	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/message"
)

func trainingFromRow(row sqlc.Training) (domain.Training, error) {
	t := domain.Training{
		RunID:          row.RunID,
		Trainer:        row.Trainer,
		State:          domain.TrainingState(row.State),
		Phase:          domain.TrainingPhase(row.Phase),
		Failure:        row.Failure,
		Name:           row.Name,
		Title:          row.Title,
		Algorithm:      domain.Algorithm(row.Algorithm),
		Observation:    domain.ObservationVersion(row.Observation),
		TotalTimesteps: row.TotalTimesteps,
		Seed:           uint32(row.Seed), //nolint:gosec // trainings_seed_is_uint32
		Device:         row.Device,
		ConfigYAML:     row.ConfigYaml,
		QueuePosition:  int(row.QueuePosition),
		CreatedAt:      timeFromRow(row.CreatedAt),
		StartedAt:      timeFromRow(row.StartedAt),
		EndedAt:        timeFromRow(row.EndedAt),
		LastSequence:   row.LastSequence,
		ModelID:        row.ModelID,
		ResumedFrom:    row.ResumedFrom,
		Resumable:      row.Resumable,
		Notices:        row.Notices,
		MLflowRunID:    row.MlflowRunID,
	}
	if row.SettledAt.Valid && row.SettledReason != nil {
		t.Settled = &domain.Settlement{At: timeFromRow(row.SettledAt), Reason: *row.SettledReason}
	}
	latest, best, heldOut := new(trainingv1.TrainingProgress), new(trainingv1.TrainingCheckpoint), new(modelv1.SuccessRate)
	for _, column := range []struct {
		bytes []byte
		into  proto.Message
	}{{row.Latest, latest}, {row.BestCheckpoint, best}, {row.HeldOut, heldOut}} {
		if err := proto.Unmarshal(column.bytes, column.into); err != nil {
			return t, damaged(row.RunID, 0, err)
		}
	}
	// An empty message has no bytes either, but NULL is what says that there is none.
	if row.Latest != nil {
		t.Latest = message.FromProgress(latest)
	}
	if row.BestCheckpoint != nil {
		t.BestCheckpoint = message.FromCheckpoint(best)
	}
	if row.HeldOut != nil {
		t.HeldOut = message.FromSuccess(heldOut)
	}
	return t, nil
}

func rowFromTraining(t domain.Training) (sqlc.Training, error) {
	row := sqlc.Training{
		RunID:          t.RunID,
		Trainer:        t.Trainer,
		State:          string(t.State),
		Phase:          string(t.Phase),
		Failure:        textFrom(t.Failure),
		Name:           textFrom(t.Name),
		Title:          textFrom(t.Title),
		Algorithm:      textFrom(string(t.Algorithm)),
		Observation:    textFrom(string(t.Observation)),
		TotalTimesteps: t.TotalTimesteps,
		Seed:           int64(t.Seed),
		Device:         textFrom(t.Device),
		ConfigYaml:     textFrom(t.ConfigYAML),
		QueuePosition:  int32From(t.QueuePosition),
		CreatedAt:      timeToRow(t.CreatedAt),
		StartedAt:      timeToRow(t.StartedAt),
		EndedAt:        timeToRow(t.EndedAt),
		ModelID:        textFrom(t.ModelID),
		ResumedFrom:    textFrom(t.ResumedFrom),
		Resumable:      t.Resumable,
		Notices:        []string{},
		MlflowRunID:    textFrom(t.MLflowRunID),
	}
	for _, notice := range t.Notices {
		row.Notices = append(row.Notices, textFrom(notice))
	}
	var err error
	encode := func(m proto.Message) []byte {
		raw, failure := proto.MarshalOptions{}.MarshalAppend([]byte{}, m)
		if failure != nil {
			err = fmt.Errorf("encode training: %w", failure)
		}
		return raw
	}
	if t.Latest != nil {
		row.Latest = encode(message.ToProgress(t.Latest))
	}
	if t.BestCheckpoint != nil {
		row.BestCheckpoint = encode(message.ToCheckpoint(t.BestCheckpoint))
	}
	if t.HeldOut != nil {
		row.HeldOut = encode(message.ToSuccess(t.HeldOut))
	}
	return row, err
}
