package postgres

import (
	"context"
	"errors"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"
	"google.golang.org/protobuf/proto"

	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/message"
)

// While a run goes on its events come a few at a time; so many loose chunks, or so many bytes in them, are packed into one.
const (
	looseChunks = 64
	packedBytes = 256 << 10
	pageChunks  = 8 // read at one time: some 4 MB at most
)

// errHole: a follower has left out events, which is a defect of ours.
var errHole = &domain.Error{Code: domain.CodeInternal, Rule: "training.hole", Message: "events are missing between those that are kept and the new ones"}

// GetTraining implements domain.TrainingStore.
func (s *Store) GetTraining(ctx context.Context, runID string) (domain.Training, error) {
	if !storableText(runID) {
		return domain.Training{}, domain.ErrTrainingNotFound
	}
	var training domain.Training
	err := s.call(ctx, "get training", func(ctx context.Context, q *sqlc.Queries) error {
		row, err := q.TrainingGet(ctx, runID)
		if errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrTrainingNotFound
		}
		if err != nil {
			return err
		}
		training, err = trainingFromRow(row)
		return err
	})
	return training, err
}

// ListTrainings implements domain.TrainingStore.
func (s *Store) ListTrainings(ctx context.Context, after *domain.TrainingCursor, limit int) ([]domain.Training, error) {
	params := sqlc.TrainingListParams{Most: int32From(limit)}
	if after != nil {
		runID := textFrom(after.RunID)
		params.BeforeRunID, params.BeforeCreatedAt = &runID, timeToRow(after.CreatedAt)
	}
	return s.trainings(ctx, "list trainings", func(ctx context.Context, q *sqlc.Queries) ([]sqlc.Training, error) {
		return q.TrainingList(ctx, params)
	})
}

// FindTrainings implements domain.TrainingStore.
func (s *Store) FindTrainings(ctx context.Context, runIDs []string) (map[string]domain.Training, error) {
	found, err := s.trainings(ctx, "find trainings", func(ctx context.Context, q *sqlc.Queries) ([]sqlc.Training, error) {
		return q.TrainingFind(ctx, runIDs)
	})
	byID := make(map[string]domain.Training, len(found))
	for _, t := range found {
		byID[t.RunID] = t
	}
	return byID, err
}

// OpenTrainings implements domain.TrainingStore.
func (s *Store) OpenTrainings(ctx context.Context) ([]domain.Training, error) {
	return s.trainings(ctx, "list open trainings", func(ctx context.Context, q *sqlc.Queries) ([]sqlc.Training, error) { return q.TrainingListOpen(ctx) })
}

// UnsettledInMLflow implements domain.TrainingStore.
func (s *Store) UnsettledInMLflow(ctx context.Context) ([]domain.Training, error) {
	return s.trainings(ctx, "list trainings unsettled in MLflow", func(ctx context.Context, q *sqlc.Queries) ([]sqlc.Training, error) {
		return q.TrainingListUnsettledInMLflow(ctx)
	})
}

func (s *Store) trainings(ctx context.Context, what string, query func(context.Context, *sqlc.Queries) ([]sqlc.Training, error)) ([]domain.Training, error) {
	var trainings []domain.Training
	err := s.call(ctx, what, func(ctx context.Context, q *sqlc.Queries) error {
		rows, err := query(ctx, q)
		if err != nil {
			return err
		}
		trainings = make([]domain.Training, 0, len(rows))
		for _, row := range rows {
			training, err := trainingFromRow(row)
			if err != nil {
				return err
			}
			trainings = append(trainings, training)
		}
		return nil
	})
	return trainings, err
}

// AddTraining implements domain.TrainingStore.
func (s *Store) AddTraining(ctx context.Context, t domain.Training, requestID string) error {
	row, err := rowFromTraining(t)
	if err != nil {
		return err
	}
	return s.call(ctx, "add training", func(ctx context.Context, q *sqlc.Queries) error {
		params := sqlc.TrainingAddParams{
			RunID: row.RunID, Trainer: row.Trainer, State: row.State, Phase: row.Phase, Failure: row.Failure, Name: row.Name, Title: row.Title,
			Algorithm: row.Algorithm, Observation: row.Observation, TotalTimesteps: row.TotalTimesteps, Seed: row.Seed, Device: row.Device,
			ConfigYaml: row.ConfigYaml, QueuePosition: row.QueuePosition, CreatedAt: row.CreatedAt, StartedAt: row.StartedAt, EndedAt: row.EndedAt,
			Latest: row.Latest, BestCheckpoint: row.BestCheckpoint, HeldOut: row.HeldOut, ModelID: row.ModelID, ResumedFrom: row.ResumedFrom,
			Resumable: row.Resumable, Notices: row.Notices, MlflowRunID: row.MlflowRunID,
		}
		if requestID != "" {
			params.RequestID = &requestID
		}
		return q.TrainingAdd(ctx, params)
	})
}

// AppendEvents implements domain.TrainingStore.
func (s *Store) AppendEvents(ctx context.Context, t domain.Training, events []domain.TrainingEvent) error {
	row, err := rowFromTraining(t)
	if err != nil {
		return err
	}
	return s.transact(ctx, "append training events", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		last, err := q.TrainingLock(ctx, t.RunID)
		if errors.Is(err, pgx.ErrNoRows) {
			return domain.ErrTrainingNotFound
		}
		if err != nil {
			return err
		}
		fresh := events
		for len(fresh) > 0 && fresh[0].Sequence <= last {
			fresh = fresh[1:]
		}
		if len(fresh) == 0 {
			return nil
		}
		if fresh[0].Sequence != last+1 {
			return errHole
		}
		encoded, err := proto.Marshal(message.ToEvents(fresh))
		if err != nil {
			return fmt.Errorf("encode events: %w", err)
		}
		chunk := sqlc.TrainingChunkInsertParams{
			RunID: t.RunID, FirstSequence: last + 1, LastSequence: fresh[len(fresh)-1].Sequence, Packed: len(encoded) >= packedBytes, Events: encoded,
		}
		if err := pack(ctx, q, t, chunk); err != nil {
			return err
		}
		return q.TrainingAdvance(ctx, sqlc.TrainingAdvanceParams{
			RunID: row.RunID, State: row.State, Phase: row.Phase, Failure: row.Failure, StartedAt: row.StartedAt, EndedAt: row.EndedAt,
			LastSequence: chunk.LastSequence, Latest: row.Latest, BestCheckpoint: row.BestCheckpoint, HeldOut: row.HeldOut, ModelID: row.ModelID,
			Notices: row.Notices, MlflowRunID: row.MlflowRunID,
		})
	})
}

// pack adds the chunk, and packs what is loose when it has become much, when a large chunk comes behind it, or when the run has ended.
func pack(ctx context.Context, q *sqlc.Queries, t domain.Training, chunk sqlc.TrainingChunkInsertParams) error {
	loose, err := q.TrainingChunkLoose(ctx, t.RunID)
	if err != nil {
		return err
	}
	if loose.Chunks > 0 && (chunk.Packed || loose.Chunks >= looseChunks || loose.Bytes >= packedBytes) {
		if err := q.TrainingChunkPack(ctx, t.RunID); err != nil {
			return err
		}
	}
	if err := q.TrainingChunkInsert(ctx, chunk); err != nil {
		return err
	}
	if t.State.Final() && !chunk.Packed {
		return q.TrainingChunkPack(ctx, t.RunID)
	}
	return nil
}

// ForgetEvents implements domain.TrainingStore.
func (s *Store) ForgetEvents(ctx context.Context, runID string) error {
	return s.transact(ctx, "forget training events", pgx.TxOptions{}, func(ctx context.Context, q *sqlc.Queries) error {
		if err := q.TrainingRewind(ctx, runID); err != nil {
			return err
		}
		return q.TrainingChunkClear(ctx, runID)
	})
}

// ReadEvents implements domain.TrainingStore.
func (s *Store) ReadEvents(ctx context.Context, runID string, afterSequence int64) ([]domain.TrainingEvent, error) {
	var events []domain.TrainingEvent
	err := s.call(ctx, "read training events", func(ctx context.Context, q *sqlc.Queries) error {
		rows, err := q.TrainingChunkList(ctx, sqlc.TrainingChunkListParams{RunID: runID, AfterSequence: afterSequence, Most: pageChunks})
		if err != nil {
			return err
		}
		for _, row := range rows {
			var chunk trainingv1.TrainingEvents
			if err := proto.Unmarshal(row.Events, &chunk); err != nil {
				return damaged(runID, row.FirstSequence, err)
			}
			events = append(events, message.FromEvents(&chunk)...)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	for len(events) > 0 && events[0].Sequence <= afterSequence {
		events = events[1:]
	}
	return events, nil
}

// AllEvents implements domain.TrainingStore.
func (s *Store) AllEvents(ctx context.Context, runID string, upTo int64) iter.Seq2[domain.TrainingEvent, error] {
	return func(yield func(domain.TrainingEvent, error) bool) {
		for after := int64(0); after < upTo; {
			events, err := s.ReadEvents(ctx, runID, after)
			if err != nil {
				yield(domain.TrainingEvent{}, err)
				return
			}
			if len(events) == 0 {
				return
			}
			for _, e := range events {
				if e.Sequence > upTo || !yield(e, nil) {
					return
				}
			}
			after = events[len(events)-1].Sequence
		}
	}
}

func damaged(runID string, first int64, cause error) error {
	return &domain.Error{
		Code: domain.CodeInternal, Rule: "training.damaged", Message: "events of the run can't be read",
		Cause: fmt.Errorf("decode events %d… of %s: %w", first, runID, cause),
	}
}

// SettleTraining implements domain.TrainingStore.
func (s *Store) SettleTraining(ctx context.Context, runID string, settled domain.Settlement) (bool, error) {
	var changed bool
	err := s.call(ctx, "settle training", func(ctx context.Context, q *sqlc.Queries) error {
		reason := textFrom(settled.Reason)
		n, err := q.TrainingSettle(ctx, sqlc.TrainingSettleParams{RunID: runID, SettledAt: timeToRow(settled.At), SettledReason: &reason})
		changed = n > 0
		return err
	})
	return changed, err
}

// MarkSettledInMLflow implements domain.TrainingStore.
func (s *Store) MarkSettledInMLflow(ctx context.Context, runID string) error {
	return s.call(ctx, "mark training settled in MLflow", func(ctx context.Context, q *sqlc.Queries) error { return q.TrainingMarkSettledInMLflow(ctx, runID) })
}

// TrainerOfRequest implements domain.TrainingStore.
func (s *Store) TrainerOfRequest(ctx context.Context, requestID string) (string, error) {
	var trainer string
	err := s.call(ctx, "get trainer of request", func(ctx context.Context, q *sqlc.Queries) (err error) {
		trainer, err = q.TrainingTrainerOfRequest(ctx, &requestID)
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return trainer, err
}
