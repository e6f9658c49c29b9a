package domain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"
)

func TestEpisodeIDsAreUUIDv7NearTheClock(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for offset, rule := range map[time.Duration]string{
		0: "", 23 * time.Hour: "", -23 * time.Hour: "", 25 * time.Hour: "episode_id.time", -25 * time.Hour: "episode_id.time", -50 * 365 * 24 * time.Hour: "episode_id.time",
	} {
		id := NewEpisodeID(now.Add(offset), [10]byte{0xff, 1, 0xff, 3})
		err := CheckEpisodeID(id, now)
		e, _ := errors.AsType[*Error](err)
		if (rule == "") != (err == nil) || err != nil && (e.Rule != rule || e.Code != CodeInvalidArgument || e.Field != "episode_id") {
			t.Errorf("%s at %s: %v", id, offset, err)
		}
	}
	good := NewEpisodeID(now, [10]byte{})
	for _, id := range []string{
		"", "x", strings.ToUpper("0193d2a0-abcd-7000-8000-000000000000"), strings.Replace(good, "-", "0", 1), good + "0", good[:35], good[:14] + "4" + good[15:], good[:19] + "c" + good[20:], "g" + good[1:], "------------------------------------",
	} {
		if err := CheckEpisodeID(id, now); CodeOf(err) != CodeInvalidArgument {
			t.Errorf("%q gives %v", id, err)
		}
	}
}

func TestAnEpisodeIDTellsItsAge(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for _, offset := range []time.Duration{0, time.Minute, -time.Hour} {
		if age := EpisodeIDAge(NewEpisodeID(now.Add(offset), [10]byte{1}), now); age != offset.Abs() {
			t.Errorf("at %s the age is %s", offset, age)
		}
	}
}

func FuzzCheckEpisodeID(f *testing.F) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	f.Add(NewEpisodeID(now, [10]byte{1}))
	f.Fuzz(func(t *testing.T, id string) {
		if CheckEpisodeID(id, now) == nil {
			if b, ok := parseEpisodeID(id); !ok || formatUUID(b) != id {
				t.Fatalf("%q has another spelling", id)
			}
		}
	})
}

var (
	secret = []byte("0123456789abcdef0123456789abcdef")
	claims = ResumeClaims{EpisodeID: "0193d2a0-abcd-7000-8000-000000000001", Policy: PolicyRef{ModelID: "ppo-memory-1"}, ModelSHA256: strings.Repeat("0f", 32), RowsHash: [32]byte{1, 2, 3}, Seed: math.MaxUint64, Sampling: Sampling{Temperature: 0.7}}
)

func TestAResumeTokenGivesBackItsClaims(t *testing.T) {
	for _, c := range []ResumeClaims{claims, {EpisodeID: claims.EpisodeID, Policy: PolicyRef{Baseline: BaselineWallFollower}}} {
		token := SignResumeToken(secret, c)
		if got, err := OpenResumeToken(secret, token); err != nil || got != c {
			t.Errorf("%+v, %v", got, err)
		}
		if len(token) > 2048 {
			t.Errorf("%d characters", len(token))
		}
		if _, err := OpenResumeToken([]byte("another"), token); !errors.Is(err, ErrResumeToken) {
			t.Errorf("another secret opens it: %v", err)
		}
	}
}

func TestNoBitOfATokenCanBeChanged(t *testing.T) {
	b, err := base64.RawURLEncoding.DecodeString(SignResumeToken(secret, claims))
	if err != nil {
		t.Fatal(err)
	}
	for i := range b {
		for bit := range 8 {
			b[i] ^= 1 << bit
			if _, err := OpenResumeToken(secret, base64.RawURLEncoding.EncodeToString(b)); !errors.Is(err, ErrResumeToken) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
			b[i] ^= 1 << bit
		}
	}
	for n := range len(b) {
		if _, err := OpenResumeToken(secret, base64.RawURLEncoding.EncodeToString(b[:n])); !errors.Is(err, ErrResumeToken) {
			t.Fatalf("cut to %d bytes: %v", n, err)
		}
	}
}

// A signature alone is not enough: another version or layout that we signed is refused, too.
func TestSignedRubbishIsRefused(t *testing.T) {
	for _, content := range [][]byte{nil, {1}, make([]byte, 200), append([]byte{1}, make([]byte, 64)...), append(append([]byte{1}, make([]byte, 64)...), 200, 0), append(append([]byte{1}, make([]byte, 64)...), 0, 0, 0)} {
		token := base64.RawURLEncoding.EncodeToString(resumeMAC(secret, content))
		if _, err := OpenResumeToken(secret, token); !errors.Is(err, ErrResumeToken) {
			t.Errorf("%v gives %v", content, err)
		}
	}
}

func FuzzOpenResumeToken(f *testing.F) {
	f.Add(SignResumeToken(secret, claims))
	f.Add("")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := OpenResumeToken(secret, token); err == nil && SignResumeToken(secret, c) != token {
			t.Fatalf("%q opens as %+v", token, c)
		}
	})
}

func TestWilsonIntervals(t *testing.T) {
	for _, c := range []struct {
		successes, n int
		low, high    float64
	}{{0, 0, 0, 1}, {0, 10, 0, 0.2775}, {10, 10, 0.7225, 1}, {1000, 1000, 0.99617, 1}, {985, 1000, 0.97540, 0.99091}, {50, 100, 0.40383, 0.59617}} {
		if low, high := Wilson95(c.successes, c.n); math.Abs(low-c.low) > 1e-4 || math.Abs(high-c.high) > 1e-4 {
			t.Errorf("%d of %d: %.5f to %.5f, want %.5f to %.5f", c.successes, c.n, low, high, c.low, c.high)
		}
	}
	if (SuccessRate{}).Rate() != 0 || (SuccessRate{Episodes: 4, Successes: 3}).Rate() != 0.75 {
		t.Error("the rate is wrong")
	}
}

func TestErrorsAreFoundThroughTheirChain(t *testing.T) {
	cause := errors.New("dial tcp")
	err := fmt.Errorf("list models: %w", Unavailable("postgresql", cause))
	if CodeOf(err) != CodeUnavailable || !errors.Is(err, cause) || !strings.Contains(err.Error(), "dial tcp") {
		t.Errorf("%v", err)
	}
	if CodeOf(cause) != CodeInternal {
		t.Error("a foreign error has a code")
	}
	broken := BrokenModel("its file is gone", nil)
	if !errors.Is(broken, ErrModelBroken) || errors.Is(broken, ErrModelNotFound) || broken.Error() != "its file is gone" {
		t.Errorf("%v", broken)
	}
}

// netFunc is a network of one function for each observation.
type netFunc func(observation []float32) ([4]float32, float32, error)

func (f netFunc) Infer(observations, scores, values []float32) error {
	for i := range values {
		s, v, err := f(observations[ObservationLength*i : ObservationLength*(i+1)])
		if err != nil {
			return err
		}
		copy(scores[4*i:], s[:])
		values[i] = v
	}
	return nil
}

func (f netFunc) Opset() int { return 18 }

func (f netFunc) Close() error { return nil }

func TestAMapScoresEveryOpenCellOnce(t *testing.T) {
	m := GenerateMaze(GeneratorParams{Rows: 100, Cols: 100, Seed: 1}) // more cells than one batch
	e := NewEpisode(m)
	e.Apply(ActionUp)
	sum := func(observation []float32) ([4]float32, float32, error) {
		var s float32
		for i, v := range observation {
			s += v * float32(i+1)
		}
		return [4]float32{s, 0, -s, 1}, s, nil
	}
	pm, err := MapPolicy(e, netFunc(sum), &Model{Observation: ObservationMemory, ScoreKind: ScoreKindQValue})
	if err != nil {
		t.Fatal(err)
	}
	cells := m.openCells()
	if len(cells) <= mapBatch || len(pm.Cells) != len(cells) || pm.AtStep != 1 || pm.Kind != ScoreKindQValue {
		t.Fatalf("%d cells of %d", len(pm.Cells), len(cells))
	}
	var o [ObservationLength]float32
	for i, at := range cells {
		c := m.cell(int(at))
		e.observeAt(int(at), ObservationMemory, &o)
		want, _, _ := sum(o[:])
		if pm.Cells[i] != int32(c.Row*100+c.Col) || [4]float32(pm.Values[4*i:]) != want || pm.StateValues[i] != want[0] {
			t.Fatalf("cell %v has %v, want %v", c, pm.Values[4*i:4*i+4], want)
		}
	}
	failure := errors.New("no memory")
	failing := netFunc(func([]float32) ([4]float32, float32, error) { return [4]float32{}, 0, failure })
	if _, err := MapPolicy(e, failing, &Model{Observation: ObservationPlain}); !errors.Is(err, failure) {
		t.Errorf("a failing network gives %v", err)
	}
	if _, _, err := NewNetworkPolicy(failing, &Model{Observation: ObservationPlain}, Sampling{}, 0).Decide(e); !errors.Is(err, failure) {
		t.Errorf("a failing network decides %v", err)
	}
}
