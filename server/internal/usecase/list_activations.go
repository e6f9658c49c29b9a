package usecase

import (
	"context"
	"encoding/base64"
	"strconv"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// ListActivations returns the history of the active model in pages, the newest first.
type ListActivations struct{ Registry domain.ModelRegistry }

// ActivationPage is a page, and the token of the next one; empty on the last.
type ActivationPage struct {
	Activations   []domain.Activation
	NextPageToken string
}

const defaultActivationPage = 50

// Run returns a page. With a time that is not zero what came later is left out, so that the first entry was in force then. Errors: ErrActivationPage;
// CodeUnavailable.
func (u *ListActivations) Run(ctx context.Context, pageSize int, pageToken string, at time.Time) (ActivationPage, error) {
	if pageSize <= 0 {
		pageSize = defaultActivationPage
	}
	var before int64
	if pageToken != "" {
		var err error
		if before, err = readActivationToken(pageToken); err != nil {
			return ActivationPage{}, err
		}
	}
	activations, err := u.Registry.ListActivations(ctx, before, at, pageSize+1) // one more tells whether there is a next page
	if err != nil {
		return ActivationPage{}, err
	}
	page := ActivationPage{Activations: activations}
	if len(activations) > pageSize {
		page.Activations = activations[:pageSize]
		page.NextPageToken = activationToken(activations[pageSize-1].ID)
	}
	return page, nil
}

func activationToken(id int64) string {
	return base64.RawURLEncoding.EncodeToString([]byte(strconv.FormatInt(id, 10)))
}

func readActivationToken(token string) (int64, error) {
	raw, err := base64.RawURLEncoding.DecodeString(token)
	if err != nil {
		return 0, domain.ErrActivationPage
	}
	id, err := strconv.ParseInt(string(raw), 10, 64)
	if err != nil || id <= 0 {
		return 0, domain.ErrActivationPage
	}
	return id, nil
}
