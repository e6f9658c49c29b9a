package usecase

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// StartTraining starts a run on the trainer that has its device and the shortest queue.
type StartTraining struct {
	Trainers *Trainers
	Quota    *TrainingQuota // nil: any number
}

// Run starts the run that is ordered from a client's address, or returns the one that an earlier call with the same RequestID started.
// Errors: those of the trainer, with its violations; *domain.TrainingBusy; CodeUnavailable while no trainer can be asked.
func (u *StartTraining) Run(ctx context.Context, order domain.TrainingOrder, address string) (domain.Training, error) {
	link, repeated, err := u.choose(ctx, order)
	if err != nil {
		return domain.Training{}, err
	}
	giveBack := func() {}
	if !repeated {
		if giveBack, err = u.Quota.take(address); err != nil {
			return domain.Training{}, err
		}
	}
	training, err := link.Trainer.StartTraining(ctx, order)
	if err != nil {
		giveBack()
		if domain.CodeOf(err) == domain.CodeUnavailable {
			link.hurry()
		}
		return domain.Training{}, u.busy(ctx, link, err)
	}
	training.Trainer = link.Name
	u.Trainers.Logger.Info("a run was started", "run_id", training.RunID, "trainer", link.Name, "state", string(training.State), "device", training.Device)
	// The run exists, whether or not we can write that down now: the next look at the list finds it.
	if err := u.Trainers.Store.AddTraining(context.WithoutCancel(ctx), beginning(training), order.RequestID); err != nil {
		u.Trainers.Logger.Warn("a run that was started is not kept yet", "run_id", training.RunID, "cause", err)
	}
	link.hurry()
	return training, nil
}

// choose returns the trainer to ask, and whether it has had this very order before.
func (u *StartTraining) choose(ctx context.Context, order domain.TrainingOrder) (link *trainerLink, repeated bool, err error) {
	if order.RequestID != "" {
		name, err := u.Trainers.Store.TrainerOfRequest(ctx, order.RequestID)
		if err != nil {
			return nil, false, err
		}
		if link = u.Trainers.link(name); link != nil {
			return link, true, link.unavailable()
		}
	}
	if order.ResumeFrom != "" {
		link, err = u.ofRun(ctx, order.ResumeFrom)
		return link, false, err
	}
	up, err := u.Trainers.reachable()
	if err != nil {
		return nil, false, err
	}
	if len(up) == 1 {
		return up[0], false, nil
	}
	return u.shortestQueue(ctx, able(up, requestedDevice(order.ConfigYAML))), false, nil
}

// ofRun returns the trainer that has a run to be resumed: its checkpoints lie there.
func (u *StartTraining) ofRun(ctx context.Context, runID string) (*trainerLink, error) {
	training, err := u.Trainers.Store.GetTraining(ctx, runID)
	if errors.Is(err, domain.ErrTrainingNotFound) {
		return nil, &domain.Error{Code: domain.CodeNotFound, Field: "resume_from", Rule: domain.ErrTrainingNotFound.Rule, Message: domain.ErrTrainingNotFound.Message}
	}
	if err != nil {
		return nil, err
	}
	link := u.Trainers.link(training.Trainer)
	if link == nil {
		return nil, domain.TrainerAway("the trainer that has the checkpoints of this run is not configured any more", nil)
	}
	return link, link.unavailable()
}

// able returns the trainers that have the device; all of them when none has it, so that one of them says what is allowed.
func able(links []*trainerLink, device string) []*trainerLink {
	var have []*trainerLink
	for _, link := range links {
		defaults := link.lastDefaults()
		if defaults != nil && slices.ContainsFunc(defaults.Devices, func(d string) bool { return device == "" || d == device || strings.HasPrefix(d, device+":") }) {
			have = append(have, link)
		}
	}
	if len(have) == 0 {
		return links
	}
	return have
}

// requestedDevice reads the one line of the configuration that matters here; "" is any. The trainer reads, and judges, all of it.
func requestedDevice(configYAML string) string {
	for line := range strings.Lines(configYAML) {
		if rest, found := strings.CutPrefix(line, "device:"); found {
			device, _, _ := strings.Cut(rest, "#")
			device = strings.Trim(strings.TrimSpace(device), `"'`)
			if device == "auto" {
				return ""
			}
			return device
		}
	}
	return ""
}

// shortestQueue returns the trainer with the fewest open runs, the first of those.
func (u *StartTraining) shortestQueue(ctx context.Context, links []*trainerLink) *trainerLink {
	open, err := u.Trainers.Store.OpenTrainings(ctx)
	if err != nil {
		u.Trainers.Logger.Debug("the queues are not known", "cause", err)
	}
	runs := map[string]int{}
	for _, t := range open {
		runs[t.Trainer]++
	}
	return slices.MinFunc(links, func(a, b *trainerLink) int { return runs[a.Name] - runs[b.Name] })
}

// busy makes a trainer's plain word that it is full into one that says what runs, and when to try again.
func (u *StartTraining) busy(ctx context.Context, link *trainerLink, err error) error {
	busy, typed := errors.AsType[*domain.TrainingBusy](err)
	refusal, known := errors.AsType[*domain.Error](err)
	if !typed && (!known || refusal.Code != domain.CodeResourceExhausted) {
		return err
	}
	if !typed {
		busy = &domain.TrainingBusy{Refusal: refusal}
		open, _ := u.Trainers.openRuns(ctx, link.Name)
		for _, t := range open {
			if t.State == domain.TrainingQueued {
				busy.Queued++
			} else {
				busy.Running = append(busy.Running, t)
			}
		}
		if d := link.lastDefaults(); d != nil {
			busy.QueueLimit = d.QueueLimit
		}
		busy.RetryAfter = remaining(busy.Running)
	}
	for i := range busy.Running {
		busy.Running[i].Trainer = link.Name
	}
	return busy
}

// remaining estimates when the first of the runs ends learning, by its pace; half a minute where that is unknown.
func remaining(running []domain.Training) time.Duration {
	const unknown, least = 30 * time.Second, 5 * time.Second
	first := time.Duration(0)
	for _, t := range running {
		left := unknown
		if t.Latest != nil && t.Latest.StepsPerSecond > 0 {
			seconds := float64(t.TotalTimesteps-t.Latest.Timesteps) / t.Latest.StepsPerSecond
			left = max(least, time.Duration(min(seconds, 24*3600)*float64(time.Second)))
		}
		if first == 0 || left < first {
			first = left
		}
	}
	if first == 0 {
		return unknown
	}
	return first
}

func quotaMessage(most int, wait time.Duration) string {
	return fmt.Sprintf("this address may start %d trainings an hour; try again in %d minutes", most, int(wait.Minutes())+1)
}
