package e2e

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

const shippedModel = "ppo-memory-1"

// damagedModels returns a model folder with the shipped default and six copies of it that are damaged: file missing, cut short, hash wrong,
// manifest unreadable, and, with every hash right, a network with another output and parity vectors that the network does not reproduce.
func damagedModels(t *testing.T) string {
	t.Helper()
	folder := t.TempDir()
	source := filepath.Join("..", "..", "ml", "models")
	if err := os.CopyFS(filepath.Join(folder, shippedModel), os.DirFS(filepath.Join(source, shippedModel))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(folder, "default.json"), []byte(`{"model_id": "`+shippedModel+`"}`))
	for name, damage := range map[string]func(folder string){
		"damaged-missing": func(f string) { remove(t, filepath.Join(f, "policy.onnx")) },
		"damaged-short": func(f string) {
			path := filepath.Join(f, "policy.onnx")
			write(t, path, readFile(t, path)[:1000])
		},
		"damaged-hash": func(f string) {
			path := filepath.Join(f, "policy.onnx")
			content := readFile(t, path)
			content[len(content)/2] ^= 1
			write(t, path, content)
		},
		"damaged-manifest": func(f string) { write(t, filepath.Join(f, "manifest.json"), []byte(`{"model_id": 5`)) },
		"damaged-output": func(f string) {
			path, manifest := filepath.Join(f, "policy.onnx"), filepath.Join(f, "manifest.json")
			content := readFile(t, path)
			was := fmt.Sprintf("%x", sha256.Sum256(content))
			content = bytes.ReplaceAll(content, []byte("action_scores"), []byte("action_scars!"))
			write(t, path, content)
			write(t, manifest, bytes.ReplaceAll(readFile(t, manifest), []byte(was), fmt.Appendf(nil, "%x", sha256.Sum256(content))))
		},
		"damaged-parity": func(f string) {
			path := filepath.Join(f, "parity.json")
			facts := readJSON(t, path)
			facts["vectors"].([]any)[0].(map[string]any)["state_value"] = 9
			writeJSON(t, path, facts)
		},
	} {
		id := name + "-1"
		copied := filepath.Join(folder, id)
		if err := os.CopyFS(copied, os.DirFS(filepath.Join(source, shippedModel))); err != nil {
			t.Fatal(err)
		}
		manifest := filepath.Join(copied, "manifest.json")
		facts := readJSON(t, manifest)
		facts["model_id"], facts["name"], facts["version"] = id, name, 1
		writeJSON(t, manifest, facts)
		damage(copied)
	}
	return folder
}

func readJSON(t *testing.T, path string) (facts map[string]any) {
	t.Helper()
	decoder := json.NewDecoder(bytes.NewReader(readFile(t, path)))
	decoder.UseNumber() // no digit of a seed or score is lost
	if err := decoder.Decode(&facts); err != nil {
		t.Fatal(err)
	}
	return facts
}

func writeJSON(t *testing.T, path string, facts map[string]any) {
	t.Helper()
	content, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	write(t, path, content)
}

func readFile(t *testing.T, path string) []byte {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func write(t *testing.T, path string, content []byte) {
	t.Helper()
	if err := os.WriteFile(path, content, 0o600); err != nil {
		t.Fatal(err)
	}
}

func remove(t *testing.T, path string) {
	t.Helper()
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
}
