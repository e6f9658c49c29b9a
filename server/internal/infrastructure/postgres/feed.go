package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/rlmaze/rlmaze/gen/sqlc"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	// feedBeat is how long the feed trusts a silent connection: then it asks, and so finds one that is dead without a word.
	feedBeat = 5 * time.Second
	// A lost connection is made again at once, then after pauses that grow; the longest leaves time for the rest within the two seconds in
	// which every instance is to know of a switch.
	feedFirstPause   = 50 * time.Millisecond
	feedLongestPause = time.Second
	// feedPage bounds what is read at one time.
	feedPage = 200
	// feedName is how the feed's connection is found among others in pg_stat_activity.
	feedName = "rlmaze switches"
)

var _ domain.ActivationFeed = (*Store)(nil)

// FollowActivations implements domain.ActivationFeed. It has a connection of its own, because LISTEN belongs to a session, and reads the history
// after each notification and each new connection: a notification only says that there is something to read, so a lost one loses nothing.
func (s *Store) FollowActivations(ctx context.Context, take func(context.Context, []domain.Activation) error, heard func(error)) error {
	f := &feed{take: take, heard: heard, timeout: s.timeout}
	for pause := feedFirstPause; ; pause = min(2*pause, feedLongestPause) {
		f.live = false
		err := f.listen(ctx, s.pool.Config().ConnConfig)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		heard(translateError("follow activations", err))
		if f.live {
			pause = feedFirstPause
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// feed is what one follower knows.
type feed struct {
	take    func(context.Context, []domain.Activation) error
	heard   func(error)
	timeout time.Duration // of one exchange with the database
	begun   bool          // the activation in force at the beginning was taken
	seen    int64         // id of the last activation that was taken
	live    bool          // this connection has been of use
}

// listen follows on one connection until that is lost.
func (f *feed) listen(ctx context.Context, config *pgx.ConnConfig) error {
	config.RuntimeParams["application_name"] = feedName
	connection, err := f.connect(ctx, config)
	if err != nil {
		return err
	}
	defer func() {
		closing, cancel := context.WithTimeout(context.WithoutCancel(ctx), f.timeout)
		defer cancel()
		_ = connection.Close(closing) // it is given up either way
	}()
	for {
		if err := f.catchUp(ctx, sqlc.New(connection)); err != nil {
			return err
		}
		if !f.live {
			f.live = true
			f.heard(nil)
		}
		waiting, cancel := context.WithTimeout(ctx, feedBeat)
		_, err := connection.WaitForNotification(waiting)
		cancel()
		if err != nil && (ctx.Err() != nil || !errors.Is(err, context.DeadlineExceeded)) {
			return err
		}
	}
}

// connect listens before anything is read, so that nothing falls between the two.
func (f *feed) connect(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	connection, err := pgx.ConnectConfig(ctx, config)
	if err != nil {
		return nil, err
	}
	if err := sqlc.New(connection).ActivationsListen(ctx); err != nil {
		_ = connection.Close(ctx) // the first error says more
		return nil, err
	}
	return connection, nil
}

// catchUp takes what is new.
func (f *feed) catchUp(ctx context.Context, q *sqlc.Queries) error {
	for {
		activations, err := f.read(ctx, q)
		if err != nil || len(activations) == 0 {
			return err
		}
		if err := f.take(ctx, activations); err != nil {
			return err
		}
		f.begun, f.seen = true, activations[len(activations)-1].ID
	}
}

func (f *feed) read(ctx context.Context, q *sqlc.Queries) ([]domain.Activation, error) {
	ctx, cancel := context.WithTimeout(ctx, f.timeout)
	defer cancel()
	if f.begun {
		rows, err := q.ActivationListAfter(ctx, sqlc.ActivationListAfterParams{AfterID: f.seen, Most: feedPage})
		return activationsFromRows(rows), err
	}
	row, err := q.ActiveModelGet(ctx)
	if errors.Is(err, pgx.ErrNoRows) {
		f.begun = true // the history is empty: all of it is yet to come
		return nil, nil
	}
	return activationsFromRows([]sqlc.Activation{row}), err
}
