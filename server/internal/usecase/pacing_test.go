package usecase

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// inBubble runs the test with a clock that moves only when everything waits, and a network whose steps take no time.
func inBubble(t *testing.T, test func(t *testing.T, b *bench)) {
	synctest.Test(t, func(t *testing.T) { test(t, newBench(t)) })
}

// longWalk is an episode of 800 steps: a random walk that does not find its goal in time.
var longWalk = RunEpisodeInput{Maze: mazeOf("generated-20x20-5"), Policy: domain.PolicyRef{Baseline: domain.BaselineRandom}, Seed: seedOf(1)}

func TestStepsComeAtTheirPaceAndMessagesAtMost60ASecond(t *testing.T) {
	for _, c := range []struct {
		stepsPerSecond float64
		share          time.Duration
	}{{0.5, 0}, {1, 0}, {10, 0}, {29, 0}, {30, 0}, {30, 100 * time.Millisecond}, {59, 0}, {60, 0}, {61, 0}, {100, 0}, {100, 33 * time.Millisecond}, {1000, 0}, {1000, 100 * time.Millisecond}} {
		t.Run(fmt.Sprintf("%g steps a second, share %s", c.stepsPerSecond, c.share), func(t *testing.T) {
			inBubble(t, func(t *testing.T, b *bench) {
				in := longWalk
				in.StepsPerSecond, in.Share = c.stepsPerSecond, c.share
				in.MaxSteps = min(800, int(20*c.stepsPerSecond))
				begin := time.Now()
				p := b.play(t.Context(), in)
				if p.err != nil || len(p.steps) != in.MaxSteps {
					t.Fatalf("%d steps, %v", len(p.steps), p.err)
				}
				if !p.at[0].Equal(begin) || len(p.messages[0]) != 1 {
					t.Errorf("the first message came after %s with %d steps", p.at[0].Sub(begin), len(p.messages[0]))
				}
				gap := max(messageGap, c.share)
				for i, message := range p.messages {
					for _, s := range message {
						due := begin.Add(time.Duration(float64(s.Index-1) / c.stepsPerSecond * float64(time.Second)))
						if late := p.at[i].Sub(due); late > gap+gridOf(c.share) || late < -wakeGrid {
							t.Fatalf("step %d came %s after it was due", s.Index, late)
						}
						if !s.ServerTime.Equal(p.at[i]) {
							t.Fatalf("step %d says %s and came at %s", s.Index, s.ServerTime, p.at[i])
						}
					}
				}
				for i := range p.at {
					inOneSecond := 0
					for j := i; j < len(p.at) && p.at[j].Sub(p.at[i]) < time.Second; j++ {
						inOneSecond++
					}
					if most := int(time.Second/gap) + 1; inOneSecond > min(most, 61) {
						t.Fatalf("%d messages within a second", inOneSecond)
					}
				}
				if perMessage := c.stepsPerSecond * gap.Seconds(); perMessage <= 1 && len(p.messages) != len(p.steps) {
					t.Errorf("%d messages for %d steps; each should have its own", len(p.messages), len(p.steps))
				}
			})
		})
	}
}

func TestSpeedZeroNeedsOneMessageForAUsualEpisode(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		begin := time.Now()
		p := b.play(t.Context(), longWalk)
		if p.err != nil || len(p.steps) != 800 || len(p.messages) != 1 || !time.Now().Equal(begin) {
			t.Errorf("%d steps in %d messages, %s, %v", len(p.steps), len(p.messages), time.Since(begin), p.err)
		}
	})
}

func TestSpeedZeroOnALargeMazeComesInBoundedMessages(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		in := longWalk
		in.Maze = mazeOf("generated-60x60-1")
		p := b.play(t.Context(), in)
		if p.err != nil || len(p.steps) != 7200 {
			t.Fatalf("%d steps, %v", len(p.steps), p.err)
		}
		for i, message := range p.messages {
			if len(message) > largestMessage {
				t.Errorf("message %d has %d steps", i, len(message))
			}
			if i > 0 && p.at[i].Sub(p.at[i-1]) < messageGap-wakeGrid {
				t.Errorf("message %d came %s after the one before", i, p.at[i].Sub(p.at[i-1]))
			}
		}
	})
}

func TestSilenceIsFilledWithHeartbeats(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		in := longWalk
		in.StepsPerSecond, in.MaxSteps = 0.1, 3
		begin := time.Now()
		p := b.play(t.Context(), in)
		if p.err != nil || len(p.steps) != 3 {
			t.Fatal(p.err)
		}
		// Steps are due at 0, 10 and 20 s; the second half of each silence starts with a heartbeat.
		if len(p.heartbeats) != 2 || p.heartbeats[0].Sub(begin) != 5*time.Second || p.heartbeats[1].Sub(p.at[1]) != 5*time.Second {
			t.Errorf("heartbeats at %v", p.heartbeats)
		}
	})
}

func TestAReaderThatWasHeldUpIsNotFlooded(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		in := longWalk
		in.StepsPerSecond, in.MaxSteps = 100, 300
		var p played
		held := false
		for event, err := range b.run.Run(t.Context(), in) {
			if err != nil {
				t.Fatal(err)
			}
			p.take(event)
			if len(p.steps) >= 100 && !held {
				held = true
				time.Sleep(10 * time.Second) // the reader's connection hangs
			}
		}
		for i, message := range p.messages {
			if len(message) > 26 { // 250 ms of steps
				t.Errorf("message %d has %d steps", i, len(message))
			}
		}
		if len(p.steps) != 300 {
			t.Errorf("%d steps", len(p.steps))
		}
		if took := p.at[len(p.at)-1].Sub(p.at[0]); took < 12900*time.Millisecond || took > 13100*time.Millisecond {
			t.Errorf("it took %s; 3 s of steps and 10 s of silence are 13 s", took)
		}
	})
}

func TestAShortDelayIsMadeUpForWithoutMoreMessages(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		in := longWalk
		in.StepsPerSecond, in.MaxSteps = 1000, 800
		var p played
		for event, err := range b.run.Run(t.Context(), in) {
			if err != nil {
				t.Fatal(err)
			}
			p.take(event)
			if len(p.messages)%7 == 1 {
				time.Sleep(40 * time.Millisecond)
			}
		}
		if took := p.at[len(p.at)-1].Sub(p.at[0]); took > 860*time.Millisecond {
			t.Errorf("it took %s instead of 0.8 s", took)
		}
		for i := 2; i < len(p.at); i++ {
			if p.at[i].Sub(p.at[i-2]) < messageGap { // two may be near once, after a delay
				t.Errorf("messages %d to %d came within %s", i-2, i, p.at[i].Sub(p.at[i-2]))
			}
		}
	})
}

// A step that takes long (a loaded machine) must not keep the first message of speed 0 back until a thousand steps are made.
func TestSlowStepsAreSentAsTheyCome(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		now := b.run.deps.Now
		b.run.deps.Now = func() time.Time { time.Sleep(time.Millisecond); return now() }
		p := b.play(t.Context(), longWalk)
		if p.err != nil || len(p.steps) != 800 {
			t.Fatal(p.err)
		}
		for i, message := range p.messages {
			if len(message) > 18 {
				t.Errorf("message %d has %d steps of a millisecond", i, len(message))
			}
		}
	})
}

func TestPacedEpisodesAreLoggedTogether(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		moments := map[time.Time]int{}
		b.log.appends = func(context.Context) { moments[time.Now()]++ } // under the log's lock
		var viewers sync.WaitGroup
		for i := range 40 {
			viewers.Go(func() {
				time.Sleep(time.Duration(i) * 7 * time.Millisecond)
				p := b.play(t.Context(), RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), StepsPerSecond: 30})
				if p.err != nil || !p.finished.Logged || p.finished.ServerTime.Sub(p.at[len(p.at)-1]) >= logGrid {
					t.Errorf("%+v, %v", p.finished, p.err)
				}
			})
		}
		viewers.Wait()
		if len(b.log.records) != 40 || len(moments) > 4 { // 40 starts within 280 ms
			t.Errorf("%d documents at %d moments", len(b.log.records), len(moments))
		}
	})
}

func TestALeavingViewerDoesNotKeepItsEpisodeFromTheLog(t *testing.T) {
	inBubble(t, func(t *testing.T, b *bench) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		for event, err := range b.run.Run(ctx, RunEpisodeInput{Maze: mazeOf("puzzle-hidden"), StepsPerSecond: 30}) {
			if err != nil {
				t.Fatal(err)
			}
			if n := len(event.Steps); n > 0 && event.Steps[n-1].Outcome != domain.OutcomeRunning {
				cancel()
			}
		}
		if len(b.log.records) != 1 {
			t.Errorf("%d documents", len(b.log.records))
		}
	})
}
