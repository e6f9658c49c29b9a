package modelfolder

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

var _ domain.ModelStore = (*Store)(nil)

const network = "the bytes of a network; the store does not look into them"

func manifestOf(id, name string, version int) string {
	sum := sha256.Sum256([]byte(network))
	return fmt.Sprintf(`{"model_id": %q, "name": %q, "version": %d, "title": "A test", "description": "For tests.", "algorithm": "PPO", "observation": "memory/1",
"score_kind": "logit", "action_order": ["UP", "DOWN", "LEFT", "RIGHT"], "trained_at": "2026-11-23T12:00:00Z", "timesteps": 1000, "training_run": "run", "seed": "18446744073709551615",
"config": "ml/configs/test.yaml", "git_revision": "", "sha256": %q, "size_bytes": %d, "opset": 18, "maze_sets": {"training": "a"},
"success": [{"set_id": "heldout", "set_hash": "b", "episodes": 1000, "successes": 999, "mean_steps": 34.5, "spl": 0.7}]}`,
		id, name, version, hex.EncodeToString(sum[:]), len(network))
}

func parityOf(vectors int) string {
	one := `{"observation": [` + strings.Repeat("0, ", 24) + `1], "action_scores": [1, 2, 3, 4], "state_value": 0.5}`
	return `{"tolerance": 1e-5, "vectors": [` + strings.TrimSuffix(strings.Repeat(one+", ", vectors), ", ") + `]}`
}

// writeModel writes a whole model; changes replace files, an empty one removes it.
func writeModel(t *testing.T, path, id, name string, version int, changes map[string]string) {
	t.Helper()
	files := map[string]string{networkFile: network, manifestFile: manifestOf(id, name, version), parityFile: parityOf(2)}
	for file, content := range changes {
		files[file] = content
	}
	if err := os.MkdirAll(filepath.Join(path, id), 0o755); err != nil {
		t.Fatal(err)
	}
	for file, content := range files {
		if content == "" {
			continue
		}
		if err := os.WriteFile(filepath.Join(path, id, file), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestAWholeModelIsReadAsItsManifestSays(t *testing.T) {
	path := t.TempDir()
	writeModel(t, path, "ppo-memory-3", "ppo-memory", 3, nil)
	b, err := New(path).LoadModel(context.Background(), "ppo-memory-3")
	if err != nil {
		t.Fatal(err)
	}
	m := b.Model
	if m.ID != "ppo-memory-3" || m.Name != "ppo-memory" || m.Version != 3 || m.State != domain.ModelStateReady || m.Algorithm != domain.AlgorithmPPO ||
		m.Observation != domain.ObservationMemory || m.ScoreKind != domain.ScoreKindLogit || m.Seed != 18446744073709551615 || m.Timesteps != 1000 || m.Opset != 18 || m.TrainedAt.Year() != 2026 {
		t.Errorf("the model is %+v", m)
	}
	if len(m.Success) != 1 || m.Success[0] != (domain.SuccessRate{SetID: "heldout", SetHash: "b", Episodes: 1000, Successes: 999, MeanSteps: 34.5, SPL: 0.7}) {
		t.Errorf("its success is %+v", m.Success)
	}
	if string(b.ONNX) != network || len(b.Parity) != 2 || b.Parity[0].Observation[24] != 1 || b.Parity[0].ActionScores != [4]float32{1, 2, 3, 4} || b.Parity[0].StateValue != 0.5 {
		t.Errorf("its bytes or vectors are wrong: %q, %v", b.ONNX, b.Parity)
	}
}

func TestABrokenModelIsListedWithTheReason(t *testing.T) {
	with := func(old, new string) map[string]string {
		m := manifestOf("test-1", "test", 1)
		changed := strings.Replace(m, old, new, 1)
		if changed == m {
			t.Fatalf("%q does not occur in the manifest", old)
		}
		return map[string]string{manifestFile: changed}
	}
	for name, c := range map[string]struct {
		changes map[string]string
		reason  string
	}{
		"no manifest":         {map[string]string{manifestFile: ""}, "its manifest.json is missing"},
		"cut manifest":        {map[string]string{manifestFile: manifestOf("test-1", "test", 1)[:100]}, "its manifest.json can't be read: it is cut short"},
		"no JSON":             {map[string]string{manifestFile: "model_id: test-1"}, "no JSON at byte"},
		"unknown field":       {with(`"opset"`, `"colour": 1, "opset"`), `unknown field "colour"`},
		"two manifests":       {map[string]string{manifestFile: manifestOf("test-1", "test", 1) + "{}"}, "something follows its end"},
		"wrong kind":          {with(`"opset": 18`, `"opset": "18"`), "opset should not be a string"},
		"other id":            {with(`"test-1"`, `"test-2"`), `model_id is "test-2"`},
		"other version":       {with(`"version": 1`, `"version": 2`), "do not make"},
		"unknown algorithm":   {with(`"PPO"`, `"A2C"`), `algorithm is "A2C"`},
		"mislabelled":         {with(`"logit"`, `"q_value"`), "does not go with"},
		"unknown observation": {with(`memory/1`, `memory/2`), "memory/2"},
		"other actions":       {with(`"UP", "DOWN"`, `"DOWN", "UP"`), "action_order"},
		"bad hash":            {with(`"sha256": "`, `"sha256": "Z`), "64 lower-case"},
		"impossible success":  {with(`"successes": 999`, `"successes": 1001`), `success on "heldout"`},
		"no network":          {map[string]string{networkFile: ""}, "its policy.onnx is missing"},
		"cut network":         {map[string]string{networkFile: network[:10]}, "has 10 bytes and should have"},
		"flipped bits":        {map[string]string{networkFile: strings.Replace(network, "b", "c", 1)}, "another SHA-256"},
		"no parity":           {map[string]string{parityFile: ""}, "its parity.json is missing"},
		"empty parity":        {map[string]string{parityFile: parityOf(0)}, "it has 0 vectors"},
		"short vector":        {map[string]string{parityFile: strings.Replace(parityOf(1), "0, ", "", 1)}, "24 observed values"},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			writeModel(t, path, "test-1", "test", 1, c.changes)
			writeModel(t, path, "whole-1", "whole", 1, nil)
			bundles, err := New(path).ScanModels(context.Background())
			if err != nil || len(bundles) != 2 {
				t.Fatalf("%d models, error %v", len(bundles), err)
			}
			broken := bundles[0]
			if m := broken.Model; m.ID != "test-1" || m.Name != "test" || m.Version != 1 || m.State != domain.ModelStateBroken || !strings.Contains(m.StateReason, c.reason) {
				t.Errorf("state %s because %q; want broken because %q", m.State, m.StateReason, c.reason)
			}
			if strings.Contains(broken.Model.StateReason, path) {
				t.Errorf("the reason holds a path: %q", broken.Model.StateReason)
			}
			if broken.ONNX != nil || broken.Parity != nil {
				t.Error("a broken model has bytes")
			}
			if bundles[1].Model.State != domain.ModelStateReady {
				t.Error("the other model is broken, too")
			}
			if _, err := New(path).LoadModel(context.Background(), "test-1"); !errors.Is(err, domain.ErrModelBroken) {
				t.Errorf("loading it gives %v", err)
			}
		})
	}
}

func TestWhatIsNoModelIsSkipped(t *testing.T) {
	path := t.TempDir()
	for _, folder := range []string{"runs", ".hidden-1", "noversion", "Upper-1", "zero-0", "a..b-1"} {
		if err := os.Mkdir(filepath.Join(path, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, file := range []string{"README.md", "file-1"} {
		if err := os.WriteFile(filepath.Join(path, file), nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if bundles, err := New(path).ScanModels(context.Background()); err != nil || len(bundles) != 0 {
		t.Errorf("found %v, error %v", bundles, err)
	}
}

func TestNoNameLeadsOutOfTheFolder(t *testing.T) {
	outside := t.TempDir()
	writeModel(t, outside, "secret-1", "secret", 1, nil)
	path := filepath.Join(outside, "models")
	writeModel(t, path, "linked-1", "linked", 1, map[string]string{networkFile: ""})
	if err := os.Symlink(filepath.Join(outside, "secret-1", networkFile), filepath.Join(path, "linked-1", networkFile)); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(filepath.Join(outside, "secret-1"), filepath.Join(path, "secret-1")); err != nil {
		t.Fatal(err)
	}
	s := New(path)
	for _, id := range []string{"../secret-1", "..", ".", "", "a/../../secret-1", "/etc/passwd-1", "secret-1\x00", strings.Repeat("a", 200) + "-1", "gone-1"} {
		if _, err := s.LoadModel(context.Background(), id); !errors.Is(err, domain.ErrModelNotFound) {
			t.Errorf("id %q gives %v", id, err)
		}
	}
	for _, id := range []string{"linked-1", "secret-1"} {
		if _, err := s.LoadModel(context.Background(), id); !errors.Is(err, domain.ErrModelBroken) {
			t.Errorf("the link %q gives %v", id, err)
		}
	}
}

func TestDefaultModelIsReadFromItsFile(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		id      string
		fails   bool
	}{
		"none":        {"", "", false},
		"one":         {`{"model_id": "ppo-memory-1"}`, "ppo-memory-1", false},
		"no id":       {`{"model_id": "../x"}`, "", true},
		"other field": {`{"model": "ppo-memory-1"}`, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			path := t.TempDir()
			if c.content != "" {
				if err := os.WriteFile(filepath.Join(path, defaultFile), []byte(c.content), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			id, err := New(path).DefaultModelID(context.Background())
			if id != c.id || (err != nil) != c.fails {
				t.Errorf("%q, error %v", id, err)
			}
		})
	}
}

func TestAMissingFolderIsUnavailable(t *testing.T) {
	s := New(filepath.Join(t.TempDir(), "gone"))
	if _, err := s.ScanModels(context.Background()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("scan gives %v", err)
	}
	if _, err := s.LoadModel(context.Background(), "a-1"); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("load gives %v", err)
	}
}

func TestShippedModelsAreWhole(t *testing.T) {
	bundles, err := New("../../../../ml/models").ScanModels(context.Background())
	if err != nil {
		t.Fatal(err)
	}
	if len(bundles) == 0 {
		t.Fatal("no model is shipped")
	}
	for _, b := range bundles {
		if b.Model.State != domain.ModelStateReady {
			t.Errorf("%s is broken: %s", b.Model.ID, b.Model.StateReason)
		}
		if len(b.Parity) < 64 {
			t.Errorf("%s has %d parity vectors; 64 are required", b.Model.ID, len(b.Parity))
		}
	}
}
