package usecase

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// secretTimeout bounds the wait for the resume secret: an episode that can run must not wait long for what it may do without.
const secretTimeout = time.Second

// episodeStarter makes episodes ready to run, for streams of one and for races. Safe for concurrent use.
type episodeStarter struct {
	deps   EpisodeDeps
	epoch  time.Time // origin of the wake grid, one for all streams
	secret atomic.Pointer[[]byte]
	used   usedIDs
}

// episodeInput names one episode. With a resume token, what is left empty is taken from the token.
type episodeInput struct {
	episodeID   string // UUIDv7; empty lets the server pick one
	policy      domain.PolicyRef
	sampling    domain.Sampling
	resumeToken string
}

// enter takes a place among the open streams; leave gives it back. Errors: CodeResourceExhausted; the context's cause.
func (s *episodeStarter) enter(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := s.deps.Capacity.streams.acquire(ctx); err != nil {
		return err
	}
	s.deps.Counters.LiveStreams.Add(1)
	return nil
}

func (s *episodeStarter) leave() {
	s.deps.Counters.LiveStreams.Add(-1)
	s.deps.Capacity.streams.release()
}

// secretFor returns the resume secret, or nil while its store is away, which is an error only for those who bring a token.
func (s *episodeStarter) secretFor(ctx context.Context, resumes bool) ([]byte, error) {
	secret, err := s.resumeSecret(ctx)
	if err != nil && (resumes || domain.CodeOf(err) != domain.CodeUnavailable) {
		return nil, err
	}
	return secret, nil
}

// resumeSecret reads the secret once; it never changes. A store that was away is asked again by the next episode.
func (s *episodeStarter) resumeSecret(ctx context.Context) ([]byte, error) {
	if secret := s.secret.Load(); secret != nil {
		return *secret, nil
	}
	ctx, cancel := context.WithTimeout(ctx, secretTimeout)
	defer cancel()
	secret, err := s.deps.Secrets.ResumeSecret(ctx)
	if errors.Is(err, context.DeadlineExceeded) {
		err = domain.Unavailable("the store of the resume secret", err)
	}
	if err != nil {
		return nil, fmt.Errorf("read the resume secret: %w", err)
	}
	s.secret.Store(&secret)
	return secret, nil
}

// openToken returns the token's claims, which everything that the request names must fit. Error: domain.ErrResumeToken.
func (s *episodeStarter) openToken(secret []byte, in *episodeInput, maze *domain.Maze, seed *uint64) (domain.ResumeClaims, error) {
	claims, err := domain.OpenResumeToken(secret, in.resumeToken)
	if err != nil {
		return domain.ResumeClaims{}, err
	}
	fits := claims.RowsHash == maze.RowsHash() &&
		claims.Sampling == samplingOf(in) &&
		(in.episodeID == "" || in.episodeID == claims.EpisodeID) &&
		(in.policy == domain.PolicyRef{} || in.policy == claims.Policy) &&
		(seed == nil || *seed == claims.Seed)
	if !fits {
		return domain.ResumeClaims{}, domain.ErrResumeToken
	}
	return claims, nil
}

// seed is the given one, or one that the server picks.
func (s *episodeStarter) seed(given *uint64) uint64 {
	if given != nil {
		return *given
	}
	return s.deps.Random()
}

// newClaims are those of a new episode. Errors: CodeInvalidArgument on "episode_id".
func (s *episodeStarter) newClaims(in *episodeInput, maze *domain.Maze, seed uint64, now time.Time) (domain.ResumeClaims, error) {
	claims := domain.ResumeClaims{EpisodeID: in.episodeID, Policy: in.policy, RowsHash: maze.RowsHash(), Sampling: samplingOf(in), Seed: seed}
	if in.episodeID == "" {
		claims.EpisodeID = s.newEpisodeID(now)
		return claims, nil
	}
	return claims, domain.CheckEpisodeID(in.episodeID, now)
}

// samplingOf is the sampling that is used: baselines ignore theirs.
func samplingOf(in *episodeInput) domain.Sampling {
	if in.policy.Baseline != domain.BaselineNone {
		return domain.Sampling{}
	}
	return in.sampling
}

func (s *episodeStarter) newEpisodeID(now time.Time) string {
	var random [16]byte
	binary.LittleEndian.PutUint64(random[:8], s.deps.Random())
	binary.LittleEndian.PutUint64(random[8:], s.deps.Random())
	return domain.NewEpisodeID(now, [10]byte(random[:10]))
}

// start makes the episode of the claims ready for its first step; release must be called once. Errors: those of newActor;
// domain.ErrModelReplaced; domain.ErrEpisodeConflict.
func (s *episodeStarter) start(ctx context.Context, secret []byte, in *episodeInput, claims domain.ResumeClaims, maze *domain.Maze, now time.Time) (*liveEpisode, error) {
	actor, err := newActor(ctx, s.deps.Models, claims.Policy, claims.Sampling, claims.Seed)
	if err != nil {
		return nil, err
	}
	resumes := in.resumeToken != ""
	if resumes && actor.sha256() != claims.ModelSHA256 {
		actor.release()
		return nil, domain.ErrModelReplaced
	}
	claims.Policy, claims.ModelSHA256 = actor.ref, actor.sha256()
	l := &liveEpisode{starter: s, claims: claims, actor: actor, episode: domain.NewEpisode(maze), startedAt: now}
	if !resumes && in.episodeID != "" && s.isUsed(ctx, l, now) {
		actor.release()
		return nil, domain.ErrEpisodeConflict
	}
	if secret != nil {
		l.token = domain.SignResumeToken(secret, claims)
	}
	return l, nil
}

// replay plays the episode to after_step again, or to its end where that comes earlier. Errors: those of replay.
func (l *liveEpisode) replay(ctx context.Context, afterStep int) error {
	return replay(ctx, l.starter.deps.Capacity, l.episode, l.actor.policy, afterStep)
}

// checkActions compares what was replayed with what the client has seen. Error: domain.ErrActionsDigest.
func (l *liveEpisode) checkActions(digest uint64) error {
	if domain.ActionsDigest(l.episode.Actions()) != digest {
		return domain.ErrActionsDigest
	}
	return nil
}
