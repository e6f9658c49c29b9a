package e2e

import (
	"bytes"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"connectrpc.com/connect"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/hostilemodel"
	"github.com/rlmaze/rlmaze/server/internal/testing/modeltest"
)

// TestHostileNetworksAreRefusedAndTheServerLives sends each file as somebody would who aims at the server: with a manifest that fits it. An episode
// is played between them, and nothing of a file is in an answer or in the folder of models.
func TestHostileNetworksAreRefusedAndTheServerLives(t *testing.T) {
	whole := modeltest.Files(t, "hostile")
	flipped := bytes.Clone(whole.ONNX)
	flipped[len(flipped)/2] ^= 0x40
	cases := append(hostilemodel.Walked(), hostilemodel.Tried()...)
	cases = append(cases, hostilemodel.Case{Name: "a flipped bit in the weights", File: flipped, Rule: "model.parity_check"})
	folder := filepath.Join(shared.dataDir, "models")
	before, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	messages := map[string]string{}
	for i, c := range cases {
		_, err := models(shared.private).RegisterModel(t.Context(), &modelv1.RegisterModelRequest{
			Name: "hostile", PolicyOnnx: c.File, ManifestJson: string(modeltest.Manifest(t, c.File, nil)), ParityJson: string(whole.Parity),
		})
		_, rule := violation(err)
		if connect.CodeOf(err) != connect.CodeInvalidArgument || rule == "" || c.Rule != "" && rule != c.Rule {
			t.Errorf("%s: %q, %v, want %s", c.Name, rule, err, c.Rule)
			continue
		}
		said := err.Error()
		if !strings.Contains(said, ".onnx") && !strings.Contains(said, "parity.json") || !strings.Contains(said, ";") {
			t.Errorf("%s: %q names no file, or not what is allowed", c.Name, said)
		}
		for _, secret := range []string{"passwd", "weights.bin", "Evil", "com.custom", "root:", "/proc", shared.dataDir} {
			if strings.Contains(said, secret) {
				t.Errorf("%s: %q is of the file or of this machine", c.Name, said)
			}
		}
		if other, known := messages[rule]; known && other != said && rule != "model.walk.operator" {
			t.Errorf("%s says %q and %q", rule, other, said)
		}
		messages[rule] = said
		if i%20 == 0 {
			if e, err := run(t.Context(), transports(t, 0)[0], shared.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")}); err != nil || e.finished == nil {
				t.Errorf("after %s the server plays no episode: %v", c.Name, err)
			}
		}
	}
	if after, err := os.ReadDir(folder); err != nil || len(after) != len(before) {
		t.Errorf("the folder of models had %d entries and has %d, %v", len(before), len(after), err)
	}
	response, err := http.Get(shared.public + "/health")
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Errorf("health is %d", response.StatusCode)
	}
	t.Logf("%d files were refused by %d rules", len(cases), len(messages))
}
