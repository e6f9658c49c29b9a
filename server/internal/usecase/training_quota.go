package usecase

import (
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// TrainingQuota bounds how many runs one client address starts in an hour. It is this server's memory: a restart forgets it.
type TrainingQuota struct {
	most int
	now  func() time.Time

	mu     sync.Mutex
	starts map[string][]time.Time // of the last hour, the oldest first
}

const quotaWindow = time.Hour

// NewTrainingQuota returns a quota of so many starts an hour; nil, which lets everybody start, for 0.
func NewTrainingQuota(most int, now func() time.Time) *TrainingQuota {
	if most <= 0 {
		return nil
	}
	return &TrainingQuota{most: most, now: now, starts: map[string][]time.Time{}}
}

// take uses one start of the address, which giveBack returns when nothing was started. The error is a *domain.TrainingBusy.
func (q *TrainingQuota) take(address string) (giveBack func(), err error) {
	if q == nil {
		return func() {}, nil
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	now := q.now()
	q.prune(now)
	if starts := q.starts[address]; len(starts) >= q.most {
		wait := starts[0].Add(quotaWindow).Sub(now)
		return nil, &domain.TrainingBusy{
			Refusal:    &domain.Error{Code: domain.CodeResourceExhausted, Rule: "training.quota", Message: quotaMessage(q.most, wait)},
			RetryAfter: wait,
		}
	}
	q.starts[address] = append(q.starts[address], now)
	return func() {
		q.mu.Lock()
		defer q.mu.Unlock()
		for i, at := range q.starts[address] {
			if at.Equal(now) {
				q.starts[address] = append(q.starts[address][:i:i], q.starts[address][i+1:]...)
				return
			}
		}
	}, nil
}

// prune forgets what is older than an hour, of everybody: so memory holds the starts of one hour, and each of them was a run.
func (q *TrainingQuota) prune(now time.Time) {
	for address, starts := range q.starts {
		for len(starts) > 0 && now.Sub(starts[0]) >= quotaWindow {
			starts = starts[1:]
		}
		if len(starts) == 0 {
			delete(q.starts, address)
			continue
		}
		q.starts[address] = starts
	}
}
