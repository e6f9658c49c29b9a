// Package mongo keeps the episode log in MongoDB, or in what speaks its protocol: one document per episode, inserted once.
// It uses only what FerretDB does right as well: inserts, equality on one field, counts, deletions, and lists of what equality found, which
// FerretDB filters further and sorts by itself. Transactions, aggregation and change streams are deliberately absent. Bridging the time when
// the store is down is not its matter (spool does that).
package mongo

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

const (
	// defaultTimeout bounds one call from the outside: a store that is down must answer "unavailable" within two seconds.
	defaultTimeout = 1500 * time.Millisecond
	// listTimeout bounds a list, for which FerretDB reads all episodes of a day. A store that is down is found out by connecting, as fast as ever.
	listTimeout = 3 * time.Second
	// deleteTimeout bounds the deletion of a day, for which FerretDB reads all of it. Nobody waits for it.
	deleteTimeout = time.Minute
	// maxConnections: one writes, the others look things up. FerretDB stands on eight connections itself.
	maxConnections = 16
	// largestBatch is what FerretDB writes in one statement; MongoDB would take far more.
	largestBatch = 100
	// longestQueue bounds the memory of a store that hangs: 10,000 documents are about 10 MB. Beyond it the log is unavailable.
	longestQueue = 10_000

	duplicateKey = 11000
)

// Where the log stands; the embedded store prepares it by these names.
const (
	DefaultDatabase = "rlmaze" // when the address names none
	Collection      = "episodes"
)

// FoundBy are the fields by which episodes are found; the embedded store indexes them.
func FoundBy() []string { return []string{"_id", "day"} }

// Options says which store to use.
type Options struct {
	URI      string // as in MONGODB_URI; its path names the database, "rlmaze" when it has none
	Embedded bool   // whether this server started the store itself; only shown
	Logger   *slog.Logger
	// Timeout bounds one call; 0 means 1.5 s. Tests of other things than timeouts take a long one, for machines that are busy.
	Timeout time.Duration
}

// Log is the episode log. All its methods may be called by many goroutines at once.
//
// Documents that arrive while an insert is on its way wait and go together in the next one: under load a hundred episodes share one
// round trip and one sync of the disk, while a single one waits for nobody. One goroutine writes; Close ends it.
type Log struct {
	client   *mongo.Client
	episodes *mongo.Collection
	embedded bool
	logger   *slog.Logger
	timeout  time.Duration

	wake chan struct{} // holds one token when the queue is not empty
	stop context.CancelFunc
	done chan struct{}

	mu     sync.Mutex
	queue  []*insertion
	byID   map[string]*insertion // queued or on their way
	closed bool
}

var (
	_ domain.EpisodeLog     = (*Log)(nil)
	_ domain.EpisodeTallies = (*Log)(nil)
	_ domain.EpisodePruner  = (*Log)(nil)
	_ domain.StorePinger    = (*Log)(nil)
)

// insertion is one document on its way.
type insertion struct {
	record   domain.EpisodeRecord
	document document
	callers  int           // who wait for it; without any it is not begun. Guarded by Log.mu
	done     chan struct{} // closed when err is set
	err      error
}

// errDuplicate is what the writer answers when the id is taken; the caller then looks by what.
var errDuplicate = errors.New("duplicate key")

// Open parses the address and starts the writer. It waits for no connection, so a store that is down is no error here.
// Settings of the address win over those of this package.
func Open(o Options) (*Log, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	timeout := cmp.Or(o.Timeout, defaultTimeout)
	settings := options.Client().
		SetAppName("rlmaze").
		SetMaxPoolSize(maxConnections).
		// Connecting and waiting for a connection end before the call does, so that the error names the cause.
		SetConnectTimeout(timeout * 2 / 3).
		SetServerSelectionTimeout(timeout * 2 / 3).
		ApplyURI(o.URI)
	if err := settings.Validate(); err != nil {
		return nil, fmt.Errorf("parse MONGODB_URI: %w", err)
	}
	client, err := mongo.Connect(settings)
	if err != nil {
		return nil, fmt.Errorf("parse MONGODB_URI: %w", err)
	}
	ctx, stop := context.WithCancel(context.Background())
	l := &Log{
		client:   client,
		episodes: client.Database(databaseOf(o.URI)).Collection(Collection),
		embedded: o.Embedded,
		logger:   o.Logger,
		timeout:  timeout,
		byID:     make(map[string]*insertion),
		wake:     make(chan struct{}, 1),
		stop:     stop,
		done:     make(chan struct{}),
	}
	go l.write(ctx)
	return l, nil
}

// Close writes what is queued, as far as the store answers in time, and disconnects. It may be called twice.
func (l *Log) Close() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.stop()
	<-l.done
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	// The only errors are a second Disconnect and a timeout, and there is nobody left to tell.
	_ = l.client.Disconnect(ctx)
}

// StoreName implements domain.StorePinger.
func (l *Log) StoreName() string { return "mongodb" }

// StoreEmbedded implements domain.StorePinger.
func (l *Log) StoreEmbedded() bool { return l.embedded }

// PingStore implements domain.StorePinger. The error is of CodeUnavailable.
func (l *Log) PingStore(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return translateError("ping", l.client.Ping(ctx, readpref.Primary()))
}

// AppendEpisode implements domain.EpisodeLog.
func (l *Log) AppendEpisode(ctx context.Context, r domain.EpisodeRecord) error {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	err := l.insert(ctx, r)
	if !errors.Is(err, errDuplicate) {
		return translateError("insert episode", err)
	}
	known, err := l.find(ctx, r.EpisodeID)
	if err != nil {
		return err
	}
	if !known.SameContent(r) {
		return domain.ErrEpisodeConflict
	}
	return nil
}

// insert hands the episode to the writer and waits for the result, or until ctx ends. What was not begun by then is not written.
// A document whose id is on its way already shares that one's fate: two streams of one episode may end together, and FerretDB falls back
// to single inserts for a batch with a duplicate in it.
func (l *Log) insert(ctx context.Context, r domain.EpisodeRecord) error {
	l.mu.Lock()
	i, twin := l.byID[r.EpisodeID]
	switch {
	case twin:
		i.callers++
	case l.closed:
		l.mu.Unlock()
		return errors.New("the log is closed")
	case len(l.queue) >= longestQueue:
		l.mu.Unlock()
		return errors.New("too many episodes wait for the store")
	default:
		i = &insertion{record: r, document: documentFromRecord(r), callers: 1, done: make(chan struct{})}
		l.queue = append(l.queue, i)
		l.byID[r.EpisodeID] = i
	}
	l.mu.Unlock()
	select {
	case l.wake <- struct{}{}:
	default:
	}
	select {
	case <-i.done:
		if twin && i.err == nil && !i.record.SameContent(r) {
			return domain.ErrEpisodeConflict
		}
		return i.err
	case <-ctx.Done():
		l.mu.Lock()
		i.callers--
		l.mu.Unlock()
		return ctx.Err()
	}
}

// take removes the next batch from the queue, without those for which nobody waits any more.
func (l *Log) take() []*insertion {
	l.mu.Lock()
	defer l.mu.Unlock()
	var batch []*insertion
	n := 0
	for ; n < len(l.queue) && len(batch) < largestBatch; n++ {
		if i := l.queue[n]; i.callers > 0 {
			batch = append(batch, i)
		} else {
			delete(l.byID, i.record.EpisodeID)
		}
	}
	if l.queue = l.queue[n:]; len(l.queue) == 0 {
		l.queue = nil // lets go of the array
	}
	return batch
}

// write owns all inserts. After the stop it writes what is queued and returns.
func (l *Log) write(ctx context.Context) {
	defer close(l.done)
	indexed := false
	for stopping := false; ; {
		batch := l.take()
		if len(batch) == 0 {
			if stopping {
				return
			}
			select {
			case <-l.wake:
			case <-ctx.Done():
				stopping = true
			}
			continue
		}
		l.insertBatch(batch)
		if !indexed {
			indexed = l.index()
		}
	}
}

// insertBatch inserts unordered: one document that is refused holds up no other.
func (l *Log) insertBatch(batch []*insertion) {
	// Not the context of a caller: a batch belongs to many.
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	documents := make([]any, len(batch))
	for n, i := range batch {
		documents[n] = &i.document // encoded once, by the driver; bytes of our own it would decode and encode again
	}
	_, err := l.episodes.InsertMany(ctx, documents, options.InsertMany().SetOrdered(false))
	results := make([]error, len(batch))
	if bulk, ok := errors.AsType[mongo.BulkWriteException](err); ok && bulk.WriteConcernError == nil {
		for _, refused := range bulk.WriteErrors {
			if refused.Index < 0 || refused.Index >= len(results) {
				continue
			}
			results[refused.Index] = refused.WriteError
			if refused.Code == duplicateKey {
				results[refused.Index] = errDuplicate
			}
		}
	} else if err != nil {
		for n := range results {
			results[n] = err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for n, i := range batch {
		i.err = results[n]
		close(i.done)
		delete(l.byID, i.record.EpisodeID)
	}
}

// index lets MongoDB find a day's episodes without reading all of them. It is repeated until it succeeds once.
func (l *Log) index() bool {
	ctx, cancel := context.WithTimeout(context.Background(), l.timeout)
	defer cancel()
	_, err := l.episodes.Indexes().CreateOne(ctx, mongo.IndexModel{Keys: bson.D{{Key: "day", Value: 1}}})
	if err != nil {
		l.logger.Warn("index the episode log", "error", err)
	}
	return err == nil
}

// FindEpisode implements domain.EpisodeLog.
func (l *Log) FindEpisode(ctx context.Context, episodeID string) (domain.EpisodeRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, l.timeout)
	defer cancel()
	return l.find(ctx, episodeID)
}

func (l *Log) find(ctx context.Context, episodeID string) (domain.EpisodeRecord, error) {
	var d document
	err := l.episodes.FindOne(ctx, bson.D{{Key: "_id", Value: episodeID}}).Decode(&d)
	if errors.Is(err, mongo.ErrNoDocuments) {
		return domain.EpisodeRecord{}, domain.ErrEpisodeUnknown
	}
	if err != nil {
		return domain.EpisodeRecord{}, translateError("find episode", err)
	}
	return recordFromDocument(d)
}

// ListEpisodes implements domain.EpisodeLog.
func (l *Log) ListEpisodes(ctx context.Context, d domain.EpisodeDay) ([]domain.EpisodeRecord, error) {
	ctx, cancel := context.WithTimeout(ctx, max(l.timeout, listTimeout))
	defer cancel()
	cursor, err := l.episodes.Find(ctx, dayFilter(d), options.Find().
		SetSort(bson.D{{Key: "timestamp", Value: -1}, {Key: "_id", Value: -1}}).
		SetLimit(int64(d.Limit)).
		SetProjection(bson.D{{Key: "actions", Value: 0}, {Key: "action_count", Value: 0}}))
	if err != nil {
		return nil, translateError("list episodes", err)
	}
	defer cursor.Close(context.WithoutCancel(ctx)) //nolint:errcheck // what was read is read
	var records []domain.EpisodeRecord
	for cursor.Next(ctx) {
		var doc document
		err := cursor.Decode(&doc)
		if err == nil {
			var r domain.EpisodeRecord
			if r, err = recordFromDocument(doc); err == nil {
				records = append(records, r)
				continue
			}
		}
		l.logger.WarnContext(ctx, "an episode of the log can't be read and is not listed", "error", err)
	}
	return records, translateError("list episodes", cursor.Err())
}

// dayFilter leads with the day, the one field that is found by an index. What is not asked for stands in no filter.
func dayFilter(d domain.EpisodeDay) bson.D {
	filter := episodesOf(d.Day, d.Filter)
	earlier := bson.D{{Key: "timestamp", Value: bson.D{{Key: "$lt", Value: d.After.FinishedAt}}}}
	if d.After.EpisodeID == "" {
		return append(filter, earlier...)
	}
	atOnce := bson.D{{Key: "timestamp", Value: d.After.FinishedAt}, {Key: "_id", Value: bson.D{{Key: "$lt", Value: d.After.EpisodeID}}}}
	return append(filter, bson.E{Key: "$or", Value: bson.A{earlier, atOnce}})
}

func episodesOf(day time.Time, f domain.EpisodeFilter) bson.D {
	filter := bson.D{{Key: "day", Value: dayOf(day)}}
	for _, equal := range []struct{ field, value string }{
		{"model_id", f.ModelID},
		{"baseline", string(f.Baseline)},
		{"maze_id", f.MazeID},
		{"outcome", string(f.Outcome)},
	} {
		if equal.value != "" {
			filter = append(filter, bson.E{Key: equal.field, Value: equal.value})
		}
	}
	return filter
}

// TallyEpisodes implements domain.EpisodeTallies. It counts here: FerretDB's $group is wrong with more than one sum.
func (l *Log) TallyEpisodes(ctx context.Context, day time.Time, filter domain.EpisodeFilter) ([]domain.EpisodeTally, error) {
	ctx, cancel := context.WithTimeout(ctx, max(l.timeout, listTimeout))
	defer cancel()
	cursor, err := l.episodes.Find(ctx, episodesOf(day, filter), options.Find().SetProjection(bson.D{
		{Key: "_id", Value: 0}, {Key: "model_id", Value: 1}, {Key: "baseline", Value: 1}, {Key: "maze_id", Value: 1}, {Key: "outcome", Value: 1},
	}))
	if err != nil {
		return nil, translateError("count episodes", err)
	}
	defer cursor.Close(context.WithoutCancel(ctx))         //nolint:errcheck // what was read is read
	sums := map[domain.EpisodeTally]*domain.EpisodeTally{} // by a tally without its figures
	for cursor.Next(ctx) {
		var doc document
		if err := cursor.Decode(&doc); err != nil {
			l.logger.WarnContext(ctx, "an episode of the log can't be read and is not counted", "error", err)
			continue
		}
		pair := domain.EpisodeTally{ModelID: doc.ModelID, Baseline: domain.Baseline(doc.Baseline), MazeID: doc.MazeID}
		sum := sums[pair]
		if sum == nil {
			sum = &pair
			sums[pair] = sum
		}
		sum.Episodes++
		if domain.Outcome(doc.Outcome) != domain.OutcomeReachedGoal {
			sum.Failures++
		}
	}
	if err := cursor.Err(); err != nil {
		return nil, translateError("count episodes", err)
	}
	tallies := make([]domain.EpisodeTally, 0, len(sums))
	for _, sum := range sums {
		tallies = append(tallies, *sum)
	}
	return tallies, nil
}

// CountEpisodes implements domain.EpisodePruner.
func (l *Log) CountEpisodes(ctx context.Context, day time.Time) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, max(l.timeout, listTimeout))
	defer cancel()
	n, err := l.episodes.CountDocuments(ctx, episodesOf(day, domain.EpisodeFilter{}))
	return n, translateError("count episodes", err)
}

// DeleteEpisodes implements domain.EpisodePruner.
func (l *Log) DeleteEpisodes(ctx context.Context, day time.Time) (int64, error) {
	ctx, cancel := context.WithTimeout(ctx, max(l.timeout, deleteTimeout))
	defer cancel()
	deleted, err := l.episodes.DeleteMany(ctx, episodesOf(day, domain.EpisodeFilter{}))
	if err != nil {
		return 0, translateError("delete episodes", err)
	}
	return deleted.DeletedCount, nil
}
