// Package modeltest gives tests whole models with files of their own: copies of the shipped default with a note inside, so that each is another
// file that computes the same. Only tests import it.
package modeltest

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Shipped is the model that is copied.
const Shipped = "ppo-memory-1"

// Folder is the folder of the shipped models.
func Folder() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..", "..", "..", "ml", "models")
}

// Files returns a whole model whose network holds the note.
func Files(t testing.TB, note string) domain.ModelFiles {
	t.Helper()
	network := Noted(read(t, "policy.onnx"), note)
	return domain.ModelFiles{ONNX: network, Manifest: Manifest(t, network, nil), Parity: read(t, "parity.json")}
}

// Noted is the network with a note in its metadata.
func Noted(network []byte, note string) []byte {
	const metadata, key, value = 14, 1, 2 // of onnx.proto's ModelProto and StringStringEntryProto
	text := func(to []byte, field protowire.Number, s string) []byte {
		return protowire.AppendString(protowire.AppendTag(to, field, protowire.BytesType), s)
	}
	return text(bytes.Clone(network), metadata, string(text(text(nil, key, "note"), value, note)))
}

// Manifest is the shipped one made to fit the network, as the export of a training writes it, with some facts changed; nil removes one.
func Manifest(t testing.TB, network []byte, changes map[string]any) []byte {
	t.Helper()
	var facts map[string]any
	decoder := json.NewDecoder(bytes.NewReader(read(t, "manifest.json")))
	decoder.UseNumber() // no digit of a seed or score is lost
	if err := decoder.Decode(&facts); err != nil {
		t.Fatal(err)
	}
	facts["sha256"], facts["size_bytes"] = fmt.Sprintf("%x", sha256.Sum256(network)), len(network)
	facts["model_id"], facts["name"], facts["version"] = "run-1", "run", 1
	for name, value := range changes {
		facts[name] = value
		if value == nil {
			delete(facts, name)
		}
	}
	content, err := json.Marshal(facts)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(Folder(), Shipped, name))
	if err != nil {
		t.Fatal(err)
	}
	return content
}
