package usecase

import (
	"context"
	"time"
)

// Figures of the stream, for which the contract has the reasons.
const (
	messageGap     = time.Second / 60       // at most 60 messages a second at any pace
	heartbeatAfter = 5 * time.Second        // silence after which a heartbeat is sent
	largestMessage = 1024                   // steps in one message: about 130 kB, so that speed 0 on a large maze stays fair to other streams
	latenessKept   = 250 * time.Millisecond // a stream that was held up longer goes on at its pace instead of catching up in a burst
)

// wakeGrid is the grid of moments at which paced streams wake. Streams that share a moment share one wake-up of the process, which at hundreds of
// streams costs more than their steps; 4 ms are below what an eye can see.
const wakeGrid = 4 * time.Millisecond

// sharedGrid is the part of the sharing time that a stream adds to wait for others: who lets the steps of 100 ms share a message waits up to
// 25 ms more, and many such streams share one wake-up, one call of the network and warm caches.
const sharedGrid = 4

// gridOf is the wake grid of a stream whose messages are shared for so long.
func gridOf(share time.Duration) time.Duration { return max(wakeGrid, share/sharedGrid) }

// course is what a stream goes through tick by tick: an episode, of which a tick is one step, or a race, of which it is one of each lane.
type course interface {
	// running is false when no tick can be made any more.
	running() bool
	// begin empties the message in work.
	begin()
	// tick makes one tick and adds it to the message in work. It starts at now and returns when it ended.
	tick(now time.Time) (time.Time, error)
	// flush sends the message in work.
	flush(ctx context.Context) error
	// beat sends a heartbeat.
	beat(now time.Time) error
}

// pacing times the messages of one stream, on the goroutine of its consumer. It starts none of its own.
type pacing struct {
	now            func() time.Time
	epoch          time.Time // origin of the wake grid
	stepsPerSecond float64   // 0 is as fast as possible
	share          time.Duration
	limit          int // ticks of this stream
	mostTicks      int // of one message

	timer    *time.Timer // made when the first wait is due: most episodes at speed 0 never wait
	lastSent time.Time   // whoever sends a message sets it
}

// stop ends the timer; to be called when the stream ends.
func (p *pacing) stop() {
	if p.timer != nil {
		p.timer.Stop()
	}
}

// play makes the ticks that the stream was asked for, at its pace. Tick number n of the stream is due at origin + (n − 1) · interval. Messages go
// out when their first tick is due, but never nearer than gap to the one before; each takes all ticks that are due by then.
func (p *pacing) play(ctx context.Context, c course) error {
	var interval time.Duration // between two ticks; 0 means as fast as possible
	if p.stepsPerSecond > 0 {
		interval = time.Duration(float64(time.Second) / p.stepsPerSecond)
	}
	gap := max(messageGap, p.share)
	now := p.now()
	origin := now
	slot := now // when the next message is to go out
	made := 0   // ticks of this stream
	for made < p.limit && c.running() {
		var err error
		if now, err = p.wait(ctx, c, slot, now); err != nil {
			return err
		}
		if late := now.Sub(origin.Add(time.Duration(made) * interval)); interval > 0 && late > latenessKept {
			origin = origin.Add(late)
		}
		due := max(now.Sub(origin), slot.Sub(origin)) // by then
		sliceEnd := now.Add(messageGap)
		c.begin()
		for inMessage := 0; made < p.limit && inMessage < p.mostTicks && c.running(); inMessage++ {
			if inMessage > 0 && (interval > 0 && time.Duration(made)*interval > due || interval == 0 && now.After(sliceEnd)) {
				break
			}
			if now, err = c.tick(now); err != nil {
				return err
			}
			made++
		}
		if err := c.flush(ctx); err != nil {
			return err
		}
		now = p.lastSent
		if now.Sub(slot) > gap {
			slot = now // messages that were held up are not made up for by sending faster
		}
		slot = slot.Add(gap)
		if next := origin.Add(time.Duration(made) * interval); interval > 0 && next.After(slot) {
			slot = next
		}
	}
	return nil
}

// wait returns at the moment, or at the next one of the wake grid, and sends heartbeats meanwhile. It returns the time.
func (p *pacing) wait(ctx context.Context, c course, until, now time.Time) (time.Time, error) {
	if ctx.Err() != nil {
		return now, context.Cause(ctx)
	}
	if !until.After(now) {
		return now, nil
	}
	until = p.onGrid(until, gridOf(p.share))
	for {
		heartbeat := p.lastSent.Add(heartbeatAfter)
		wake := until
		if heartbeat.Before(until) {
			wake = heartbeat
		}
		if !p.sleep(ctx, wake.Sub(now)) {
			return now, context.Cause(ctx)
		}
		now = p.now()
		if !now.Before(until) {
			return now, nil
		}
		if !now.Before(heartbeat) {
			if err := c.beat(now); err != nil {
				return now, err
			}
			now = p.lastSent
		}
	}
}

// onGrid is the first moment of a grid that is not before the given one.
func (p *pacing) onGrid(moment time.Time, grid time.Duration) time.Time {
	if past := moment.Sub(p.epoch) % grid; past > 0 {
		return moment.Add(grid - past)
	}
	return moment
}

// sleep returns false when the context ended before.
func (p *pacing) sleep(ctx context.Context, d time.Duration) bool {
	if p.timer == nil {
		p.timer = time.NewTimer(d)
	} else {
		p.timer.Reset(d)
	}
	select {
	case <-ctx.Done():
		return false
	case <-p.timer.C:
		return true
	}
}
