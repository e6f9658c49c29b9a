package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const models = "../../ml/models"

// library is what the environment names, or what make installed.
func library(t *testing.T) string {
	t.Helper()
	if named := os.Getenv("ONNXRUNTIME_LIB"); named != "" {
		return named
	}
	found, err := installedLibrary()
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// validate runs the program on a folder and returns what it printed.
func validate(t *testing.T, folder string) (string, error) {
	t.Helper()
	var out strings.Builder
	err := run([]string{"-model", folder, "-library", library(t), "-calls", "20"}, &out)
	return out.String(), err
}

// spoiled copies a shipped model's folder, with another parity file.
func spoiled(t *testing.T, change func(*parity)) string {
	t.Helper()
	folder := t.TempDir()
	network, err := os.ReadFile(filepath.Join(models, "ppo-memory-1", "policy.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	vectors, err := readParity(filepath.Join(models, "ppo-memory-1", "parity.json"))
	if err != nil {
		t.Fatal(err)
	}
	change(&vectors)
	told, err := json.Marshal(vectors)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"policy.onnx": network, "parity.json": told} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return folder
}

func TestEveryShippedModelActsInGoAsItDidInPython(t *testing.T) {
	manifests, _ := filepath.Glob(filepath.Join(models, "*", "manifest.json"))
	if len(manifests) < 2 {
		t.Fatalf("found %d shipped models", len(manifests))
	}
	for _, manifest := range manifests {
		folder := filepath.Dir(manifest)
		t.Run(filepath.Base(folder), func(t *testing.T) {
			said, err := validate(t, folder)
			if err != nil {
				t.Fatalf("%v\n%s", err, said)
			}
			for _, line := range []string{"same best action   64 of 64", "batch of 1 ", "batch of 64 ", "verdict            the network acts in Go as it did in Python"} {
				if !strings.Contains(said, line) {
					t.Errorf("it did not say %q:\n%s", line, said)
				}
			}
		})
	}
}

func TestADisagreementIsAnError(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*parity)
		reason string
	}{
		"a score a little off":     {func(p *parity) { p.Vectors[3].ActionScores[1] -= 0.001 }, "the outputs differ by"},
		"a value a little off":     {func(p *parity) { p.Vectors[5].StateValue += 0.001 }, "the outputs differ by"},
		"another best action":      {func(p *parity) { s := p.Vectors[0].ActionScores; s[best(s)] = -100 }, "another action is best on 1 of 64"},
		"no vector":                {func(p *parity) { p.Vectors = nil }, "proves nothing"},
		"no tolerance":             {func(p *parity) { p.Tolerance = 0 }, "proves nothing"},
		"an observation cut short": {func(p *parity) { p.Vectors[7].Observation = p.Vectors[7].Observation[:24] }, "vector 7 has 24"},
	} {
		t.Run(name, func(t *testing.T) {
			said, err := validate(t, spoiled(t, c.change))
			if err == nil || !strings.Contains(err.Error(), c.reason) {
				t.Errorf("error %v, want one with %q", err, c.reason)
			}
			if strings.Contains(said, "verdict") {
				t.Errorf("it gave a verdict all the same:\n%s", said)
			}
		})
	}
}

func TestABrokenNetworkIsRefused(t *testing.T) {
	folder := spoiled(t, func(*parity) {})
	path := filepath.Join(folder, "policy.onnx")
	if err := os.Truncate(path, 10_000); err != nil {
		t.Fatal(err)
	}
	if _, err := validate(t, folder); err == nil || !strings.Contains(err.Error(), "read the network") {
		t.Errorf("error %v, want that the network can't be read", err)
	}
	// The library is free again: the next network loads.
	if _, err := validate(t, filepath.Join(models, "ppo-trail-1")); err != nil {
		t.Error(err)
	}
}

func TestOutputsThatAreNoNumbersAreInfinitelyFarApart(t *testing.T) {
	var zero float32
	if a := (agreement{vectors: 1, sameAction: 1, scores: larger(0, zero/zero, 1)}); a.within(1e-5) == nil {
		t.Error("NaN passed as equal")
	}
}
