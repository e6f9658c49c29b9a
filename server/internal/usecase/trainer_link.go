package usecase

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// NamedTrainer is a trainer of this installation.
type NamedTrainer struct {
	Name    string
	Trainer domain.Trainer
}

// trainerLink is what the server knows of one trainer.
type trainerLink struct {
	NamedTrainer
	preparations domain.Preparations
	now          func() time.Time
	poke         chan struct{} // holds one token when somebody has reason to look at once

	mu       sync.Mutex
	up       bool
	message  string    // why it is away
	contact  time.Time // when it was heard last; the start of the server before that
	whole    time.Time // when its whole list was read last; zero when that has to be done again
	defaults *domain.TrainingDefaults
	shown    domain.ServiceState // as told last, and since when
	since    time.Time
}

func newTrainerLink(t NamedTrainer, preparations domain.Preparations, now func() time.Time) *trainerLink {
	return &trainerLink{
		NamedTrainer: t, preparations: preparations, now: now, poke: make(chan struct{}, 1),
		contact: now(), message: "the trainer has not answered yet",
	}
}

// hurry asks for a look at once.
func (l *trainerLink) hurry() {
	select {
	case l.poke <- struct{}{}:
	default:
	}
}

// heard notes a sign of life, an answer or a message of a stream; true when the trainer had been away.
func (l *trainerLink) heard() (back bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	back = !l.up
	l.up, l.message, l.contact = true, "", l.now()
	return back
}

// busyLimit is how long a trainer whose streams are alive may be too busy to answer a call: on a machine that learns with all its cores it may.
const busyLimit = 5 * time.Second

// failed notes that the trainer could not be asked; true when it had been up.
func (l *trainerLink) failed(err error) (gone bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.up && errors.Is(err, context.DeadlineExceeded) && l.now().Sub(l.contact) < busyLimit {
		return false
	}
	gone = l.up
	l.up, l.whole = false, time.Time{}
	l.message = "the trainer does not answer; try again when it is back"
	if known, ok := errors.AsType[*domain.Error](err); ok {
		l.message = known.Message
	}
	return gone
}

// silence is how long the trainer was not heard.
func (l *trainerLink) silence() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now().Sub(l.contact)
}

// status is what GetStatus tells.
func (l *trainerLink) status() domain.ServiceStatus {
	l.mu.Lock()
	defer l.mu.Unlock()
	s := domain.ServiceStatus{Name: l.Name, State: domain.ServiceUp}
	if !l.up {
		s.State, s.Message = domain.ServiceAway, l.message
		if l.preparations != nil {
			if p, preparing := l.preparations.Preparation(l.Name); preparing {
				s.State, s.Message, s.Progress = domain.ServicePreparing, p.Message, p.Progress
				if p.Failed {
					s.State = domain.ServiceAway
				}
			}
		}
	}
	if s.State != l.shown {
		l.shown, l.since = s.State, l.now()
	}
	s.Since = l.since
	return s
}

// unavailable is nil while the trainer can be asked.
func (l *trainerLink) unavailable() error {
	s := l.status()
	switch s.State {
	case domain.ServiceUp:
		return nil
	case domain.ServicePreparing:
		progress := ""
		if s.Progress != nil {
			progress = fmt.Sprintf(" (%.0f %%)", 100**s.Progress)
		}
		return domain.TrainerAway("the trainer is being prepared: "+s.Message+progress, nil)
	default:
		return domain.TrainerAway(s.Message, nil)
	}
}

func (l *trainerLink) setDefaults(d domain.TrainingDefaults) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.defaults = &d
}

// lastDefaults are those of the last answer; nil before the first.
func (l *trainerLink) lastDefaults() *domain.TrainingDefaults {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.defaults
}

// wholeSince is how long ago the whole list was read.
func (l *trainerLink) wholeSince() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.now().Sub(l.whole)
}

func (l *trainerLink) readWhole() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.whole = l.now()
}
