package usecase

import (
	"context"
	"encoding/base64"
	"strings"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ListTrainings returns runs in pages, the newest first.
type ListTrainings struct{ Store domain.TrainingStore }

// TrainingPage is a page, and the token of the next one; empty on the last.
type TrainingPage struct {
	Trainings     []domain.Training
	NextPageToken string
}

const defaultTrainingPage = 50

// Run returns a page. Errors: ErrTrainingPageToken.
func (u *ListTrainings) Run(ctx context.Context, pageSize int, pageToken string) (TrainingPage, error) {
	if pageSize <= 0 {
		pageSize = defaultTrainingPage
	}
	var after *domain.TrainingCursor
	if pageToken != "" {
		cursor, err := readTrainingToken(pageToken)
		if err != nil {
			return TrainingPage{}, err
		}
		after = &cursor
	}
	trainings, err := u.Store.ListTrainings(ctx, after, pageSize+1) // one more tells whether there is a next page
	if err != nil {
		return TrainingPage{}, err
	}
	var page TrainingPage
	if len(trainings) > pageSize {
		trainings = trainings[:pageSize]
		last := trainings[pageSize-1]
		page.NextPageToken = trainingToken(domain.TrainingCursor{CreatedAt: last.CreatedAt, RunID: last.RunID})
	}
	for _, t := range trainings {
		page.Trainings = append(page.Trainings, t.Shown())
	}
	return page, nil
}

func trainingToken(c domain.TrainingCursor) string {
	return base64.RawURLEncoding.EncodeToString([]byte(c.CreatedAt.Format(time.RFC3339Nano) + " " + c.RunID))
}

func readTrainingToken(token string) (domain.TrainingCursor, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return domain.TrainingCursor{}, domain.ErrTrainingPageToken
	}
	at, runID, found := strings.Cut(string(raw), " ")
	createdAt, err := time.Parse(time.RFC3339Nano, at)
	if err != nil || !found || runID == "" {
		return domain.TrainingCursor{}, domain.ErrTrainingPageToken
	}
	return domain.TrainingCursor{CreatedAt: createdAt, RunID: runID}, nil
}
