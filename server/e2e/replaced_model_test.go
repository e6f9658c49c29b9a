package e2e

import (
	"crypto/sha256"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/modeltest"
)

// TestAKeptDataFolderTakesOverAReplacedModel trains the active model again, so to say: the next start on the same data has it active, says so,
// and goes on with no episode of the old file.
func TestAKeptDataFolderTakesOverAReplacedModel(t *testing.T) {
	data, store := tempData(t), t.TempDir()
	folder := filepath.Join(store, shippedModel)
	if err := os.CopyFS(folder, os.DirFS(filepath.Join("..", "..", "ml", "models", shippedModel))); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(store, "default.json"), []byte(`{"model_id": "`+shippedModel+`"}`))
	variables := map[string]string{"DATA_DIR": data, "MODEL_STORE": store}
	first := start(t, variables)
	tr := transports(t, 0)[0]
	request := &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001"), MaxSteps: 3}
	begun, err := run(t.Context(), tr, first.public, request)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.stop(); err != nil {
		t.Fatal(err)
	}

	// The same network with a note in its metadata: another file that computes the same.
	path, manifest := filepath.Join(folder, "policy.onnx"), filepath.Join(folder, "manifest.json")
	content := modeltest.Noted(readFile(t, path), "trained again")
	write(t, path, content)
	facts := readJSON(t, manifest)
	facts["sha256"], facts["size_bytes"] = fmt.Sprintf("%x", sha256.Sum256(content)), len(content)
	writeJSON(t, manifest, facts)

	second := start(t, variables)
	active, err := models(second.public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
	if err != nil || active.GetModel().GetSha256() != facts["sha256"] || !strings.Contains(active.GetActivation().GetReason(), "replaced") {
		t.Fatalf("the active model is %v, %v", active, err)
	}
	if !strings.Contains(second.complaints(), "file was replaced") {
		t.Errorf("the log does not tell: %s", second.complaints())
	}
	if _, err := run(t.Context(), tr, second.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")}); err != nil {
		t.Error(err)
	}
	_, err = run(t.Context(), tr, second.public, begun.resume(request))
	if field, rule := violation(err); connect.CodeOf(err) != connect.CodeFailedPrecondition || field != "resume_token" || rule != "model.replaced" {
		t.Errorf("an episode of the old file goes on: %v", err)
	}
}
