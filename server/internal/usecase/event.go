// Package usecase says what happens in which order: one verb a file, on the domain's types and ports only. It knows no protobuf, no HTTP and no
// store. Time comes in as a function; waiting is done with the standard library's timers, which testing/synctest can drive.
package usecase

import (
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Event is one message of an episode's stream: exactly one of the four is set. Steps and what it points to are valid until the range
// asks for the next event; whoever keeps them copies them.
type Event struct {
	Started   *EpisodeStarted
	Steps     []Step
	Finished  *EpisodeFinished
	Heartbeat *Heartbeat
}

// EpisodeStarted says what runs; it is the first event, on a resume too.
type EpisodeStarted struct {
	EpisodeID   string
	Policy      domain.PolicyRef // the active model's id filled in
	Maze        *domain.Maze
	Seed        uint64
	Sampling    domain.Sampling
	FirstStep   int
	MaxSteps    int
	Observation domain.ObservationVersion // empty for a baseline
	ScoreKind   domain.ScoreKind          // empty for a baseline
	ResumeToken string
	ServerTime  time.Time
	PolicyMap   *domain.PolicyMap // at after_step; nil when not asked for or not possible
}

// Step is one step with what the policy said before it.
type Step struct {
	domain.Step
	Scores        domain.ActionScores // Kind is empty for a baseline
	Probabilities [4]float32          // of Scores; zero for a baseline
	ServerTime    time.Time           // when the step had been computed
	PolicyMap     *domain.PolicyMap   // after this step; on the last step of a message only
}

// EpisodeFinished is the result.
type EpisodeFinished struct {
	Outcome     domain.Outcome
	Steps       int
	Bumps       int
	TotalReward float64
	SPL         float64
	Logged      bool
	ServerTime  time.Time
}

// Heartbeat shows that the server is alive while no step is due.
type Heartbeat struct{ ServerTime time.Time }

// RaceEvent is one message of a race's stream: exactly one of the four is set. Steps and what it points to are valid until the range asks for
// the next event; whoever keeps them copies them.
type RaceEvent struct {
	Started   *RaceStarted
	Steps     []RaceLaneSteps
	Finished  *RaceFinished
	Heartbeat *Heartbeat
}

// RaceStarted says what runs; it is the first event, on a resume too.
type RaceStarted struct {
	Maze       *domain.Maze
	Seed       uint64 // of every lane
	FirstStep  int
	MaxSteps   int
	Lanes      []RaceLaneStarted // in the order of the request
	ServerTime time.Time
}

// RaceLaneStarted says what runs in one lane.
type RaceLaneStarted struct {
	EpisodeID   string
	Policy      domain.PolicyRef // the active model's id filled in
	Sampling    domain.Sampling
	Observation domain.ObservationVersion // empty for a baseline
	ScoreKind   domain.ScoreKind          // empty for a baseline
	ResumeToken string
}

// RaceLaneSteps is what one lane did in the ticks of a message. A message holds whole ticks.
type RaceLaneSteps struct {
	Lane     int
	Steps    []Step           // at least one
	Finished *EpisodeFinished // set when the last of them ended the lane's episode
}

// RaceFinished is the result of all lanes, in the order of the request.
type RaceFinished struct {
	Lanes      []EpisodeFinished
	ServerTime time.Time
}
