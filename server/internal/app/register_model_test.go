package app

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/modelfolder"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnxtrial"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/postgres"
	"github.com/rlmaze/rlmaze/server/internal/testing/modeltest"
	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

func TestMain(m *testing.M) {
	onnxtrial.ServeIfChild()
	pgtest.Main(m, nil)
}

// registration is the registering part of the server: real PostgreSQL, real files, real ONNX Runtime, the shipped models.
type registration struct {
	registry domain.ModelRegistry
	folder   string
	library  *modelfolder.Library
	models   *usecase.LoadedModels
	trial    *onnxtrial.Trial
	register *usecase.RegisterModel
}

func newRegistration(t *testing.T) *registration {
	t.Helper()
	path, err := findONNXRuntime(os.Getenv("ONNXRUNTIME_LIB"))
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runtime.Close() })
	r := &registration{registry: pgtest.Store(t), folder: t.TempDir()}
	r.open(t, runtime)
	return r
}

// open is a start of the server up to the registration of what is there.
func (r *registration) open(t *testing.T, loader domain.NetworkLoader) {
	t.Helper()
	library, err := modelfolder.OpenLibrary(modeltest.Folder(), r.folder)
	if err != nil {
		t.Fatal(err)
	}
	r.library, r.models = library, usecase.NewLoadedModels(r.registry, library, loader)
	t.Cleanup(r.models.Close)
	if out, err := (&usecase.RegisterShippedModels{Registry: r.registry, Store: library, Models: r.models}).Run(t.Context()); err != nil || out.NotActive != nil {
		t.Fatalf("%+v, %v", out, err)
	}
	path, err := findONNXRuntime(os.Getenv("ONNXRUNTIME_LIB"))
	if err != nil {
		t.Fatal(err)
	}
	if r.trial, err = onnxtrial.New(path); err != nil {
		t.Fatal(err)
	}
	r.register = usecase.NewRegisterModel(r.registry, library, r.models, r.trial)
}

// restart is a start on what an earlier server left.
func (r *registration) restart(t *testing.T) {
	t.Helper()
	path, err := findONNXRuntime(os.Getenv("ONNXRUNTIME_LIB"))
	if err != nil {
		t.Fatal(err)
	}
	runtime, err := onnx.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = runtime.Close() })
	r.open(t, runtime)
}

// must registers a model and requires its id.
func (r *registration) must(t *testing.T, name string, files domain.ModelFiles, id string, created bool) domain.Model {
	t.Helper()
	out, err := r.register.Run(t.Context(), name, files)
	if err != nil || out.Model.ID != id || out.Created != created {
		t.Fatalf("registered %s, created %v, %v; want %s, %v", out.Model.ID, out.Created, err, id, created)
	}
	return out.Model
}

// versions are the registered models of a name, as the list shows them: "quick-1 ready".
func (r *registration) versions(t *testing.T, name string) []string {
	t.Helper()
	models, err := r.registry.ListModels(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, m := range models {
		if m.Name == name {
			found = append(found, m.ID+" "+string(m.State))
		}
	}
	slices.Sort(found)
	return found
}

// folders are the names in the folder of registered models, hidden ones too.
func (r *registration) folders(t *testing.T) []string {
	t.Helper()
	entries, err := os.ReadDir(r.folder)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func (r *registration) holds(t *testing.T, name string, versions []string, folders ...string) {
	t.Helper()
	if got := r.versions(t, name); !slices.Equal(got, versions) {
		t.Errorf("the registry has %v, want %v", got, versions)
	}
	if got := r.folders(t); !slices.Equal(got, folders) {
		t.Errorf("the folder has %v, want %v", got, folders)
	}
}

// acts requires that the model can be loaded from its files, as for an episode.
func (r *registration) acts(t *testing.T, id string) {
	t.Helper()
	activate := &usecase.SetActiveModel{Registry: r.registry, Models: r.models}
	if _, err := activate.Run(t.Context(), usecase.SetActiveModelInput{ModelID: id, Reason: "a test"}); err != nil {
		t.Errorf("%s can't act: %v", id, err)
	}
}

func TestARegisteredModelIsTheNextVersionOfItsName(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	first, second := modeltest.Files(t, "first"), modeltest.Files(t, "second")
	m := r.must(t, "quick", first, "quick-1", true)
	if m.Name != "quick" || m.Version != 1 || m.Origin != domain.ModelOriginRegistered || m.State != domain.ModelStateReady || m.Algorithm != domain.AlgorithmPPO ||
		m.Opset != 18 || m.SizeBytes != int64(len(first.ONNX)) || len(m.Success) == 0 || time.Since(m.RegisteredAt).Abs() > time.Hour {
		t.Errorf("it is %+v", m)
	}
	r.must(t, "quick", second, "quick-2", true)
	r.must(t, "quick", first, "quick-1", false)
	r.must(t, "quick-2", first, "quick-2-1", true) // another name: another model
	r.holds(t, "quick", []string{"quick-1 ready", "quick-2 ready"}, "quick-1", "quick-2", "quick-2-1")
	for _, id := range []string{"quick-1", "quick-2", "quick-2-1"} {
		r.acts(t, id)
	}
	r.restart(t)
	r.holds(t, "quick", []string{"quick-1 ready", "quick-2 ready"}, "quick-1", "quick-2", "quick-2-1")
	r.acts(t, "quick-1")
	r.must(t, "quick", second, "quick-2", false)
}

func TestTheNameOfAShippedModelIsReserved(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	_, err := r.register.Run(t.Context(), "ppo-memory", modeltest.Files(t, "mine"))
	refused, ok := errors.AsType[*domain.Error](err)
	if !ok || refused.Code != domain.CodeInvalidArgument || refused.Field != "name" || !strings.Contains(refused.Message, "ppo-memory") {
		t.Errorf("got %v", err)
	}
	r.holds(t, "ppo-memory", []string{"ppo-memory-1 ready"})
}

func TestADamagedModelIsRefusedWithItsFault(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	whole := modeltest.Files(t, "whole")
	manifest := func(changes map[string]any) domain.ModelFiles {
		return domain.ModelFiles{ONNX: whole.ONNX, Manifest: modeltest.Manifest(t, whole.ONNX, changes), Parity: whole.Parity}
	}
	network := func(onnx []byte) domain.ModelFiles {
		return domain.ModelFiles{ONNX: onnx, Manifest: modeltest.Manifest(t, onnx, nil), Parity: whole.Parity}
	}
	parity := func(content []byte) domain.ModelFiles {
		return domain.ModelFiles{ONNX: whole.ONNX, Manifest: whole.Manifest, Parity: content}
	}
	flipped := bytes.Clone(whole.ONNX)
	flipped[len(flipped)/2] ^= 0x40 // inside the weights: it loads
	for name, c := range map[string]struct {
		files domain.ModelFiles
		field string
		words string
	}{
		"no JSON":              {domain.ModelFiles{ONNX: whole.ONNX, Manifest: []byte("name: x"), Parity: whole.Parity}, "manifest_json", "manifest.json can't be read: it is no JSON at byte"},
		"unknown fact":         {manifest(map[string]any{"colour": "red"}), "manifest_json", `unknown field "colour"`},
		"unknown algorithm":    {manifest(map[string]any{"algorithm": "A2C"}), "manifest_json", "PPO and DQN are known"},
		"unknown observation":  {manifest(map[string]any{"observation": "full/1"}), "manifest_json", "plain/1, trail/1 and memory/1 are known"},
		"mislabelled scores":   {manifest(map[string]any{"score_kind": "q_value"}), "manifest_json", `does not go with algorithm "PPO"`},
		"wrong size":           {manifest(map[string]any{"size_bytes": 5}), "policy_onnx", "and should have 5"},
		"wrong hash":           {manifest(map[string]any{"sha256": strings.Repeat("0", 64)}), "policy_onnx", "another SHA-256"},
		"wrong opset":          {manifest(map[string]any{"opset": 17}), "policy_onnx", "says opset 17 and its network asks for 18"},
		"cut network":          {network(whole.ONNX[:1000]), "policy_onnx", "no ONNX file, or cut short"},
		"no network":           {network([]byte("no network at all, but bytes")), "policy_onnx", "policy.onnx can't be loaded"},
		"other output":         {network(bytes.ReplaceAll(whole.ONNX, []byte("action_scores"), []byte("action_scars!"))), "policy_onnx", "other outputs than action_scores and state_value"},
		"flipped weights":      {network(flipped), "parity_json", "gives other scores than at its export"},
		"vectors of another":   {parity(regexp.MustCompile(`"state_value": [-0-9.e]+`).ReplaceAll(whole.Parity, []byte(`"state_value": 9`))), "parity_json", "vector 0 gives other scores"},
		"no vectors":           {parity([]byte(`{"tolerance": 1e-5, "vectors": []}`)), "parity_json", "1 to 4096 are allowed"},
		"vectors cut short":    {parity(whole.Parity[:200]), "parity_json", "cut short"},
		"an impossible figure": {manifest(map[string]any{"success": []any{map[string]any{"set_id": "heldout", "set_hash": "x", "episodes": 5, "successes": 6, "mean_steps": 1, "spl": 1}}}), "manifest_json", `success on "heldout"`},
	} {
		_, err := r.register.Run(t.Context(), "damaged", c.files)
		refused, ok := errors.AsType[*domain.Error](err)
		if !ok || refused.Code != domain.CodeInvalidArgument || refused.Field != c.field || !strings.Contains(refused.Message, c.words) {
			t.Errorf("%s: %v; want %s because %q", name, err, c.field, c.words)
		}
		if ok && (strings.Contains(refused.Message, r.folder) || strings.Contains(refused.Message, "/ml/models")) {
			t.Errorf("%s: the message holds a path: %s", name, refused.Message)
		}
	}
	r.holds(t, "damaged", nil)
}

func TestManyCallsAtOnceGiveOneModelForEachFile(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	const calls, files = 20, 4
	sent := make([]domain.ModelFiles, files)
	for i := range sent {
		sent[i] = modeltest.Files(t, fmt.Sprint("file ", i))
	}
	var created atomic.Int32
	ids := make([]string, calls)
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			out, err := r.register.Run(t.Context(), "busy", sent[i%files])
			if err != nil {
				t.Error(err)
				return
			}
			ids[i] = out.Model.ID
			if out.Created {
				created.Add(1)
			}
		})
	}
	all.Wait()
	for i, id := range ids {
		if id != ids[i%files] {
			t.Errorf("call %d got %s, another one with the same file %s", i, id, ids[i%files])
		}
	}
	if created.Load() != files {
		t.Errorf("%d calls created a model, want %d", created.Load(), files)
	}
	r.holds(t, "busy", []string{"busy-1 ready", "busy-2 ready", "busy-3 ready", "busy-4 ready"}, "busy-1", "busy-2", "busy-3", "busy-4")
}

func TestTwoServersOnOneDatabaseNeverShareAVersion(t *testing.T) {
	t.Parallel()
	one := newRegistration(t)
	other := &registration{registry: one.registry, folder: t.TempDir()}
	other.restart(t)
	var all sync.WaitGroup
	for i := range 6 {
		at := []*registration{one, other}[i%2]
		files := modeltest.Files(t, fmt.Sprint(i))
		all.Go(func() {
			if _, err := at.register.Run(t.Context(), "shared", files); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	if got := one.versions(t, "shared"); len(got) != 6 || got[0] != "shared-1 ready" || got[5] != "shared-6 ready" {
		t.Errorf("the versions are %v", got)
	}
	if both := append(one.folders(t), other.folders(t)...); len(both) != 6 {
		t.Errorf("the folders are %v", both)
	}
}

// uncommitted is a registry whose database goes away between the last statement of AddVersion and its commit.
type uncommitted struct{ *postgres.Store }

func (u uncommitted) AddVersion(ctx context.Context, name string, add func([]domain.Model, func(domain.Model) error) error) error {
	return u.Store.AddVersion(ctx, name, func(known []domain.Model, register func(domain.Model) error) error {
		return errors.Join(add(known, register), domain.Unavailable("postgresql", nil))
	})
}

// orphan leaves the folder of a call that ended between folder and row.
func (r *registration) orphan(t *testing.T, name string, files domain.ModelFiles) {
	t.Helper()
	lost := usecase.NewRegisterModel(uncommitted{r.registry.(*postgres.Store)}, r.library, r.models, r.trial)
	if _, err := lost.Run(t.Context(), name, files); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Fatalf("the lost call got %v", err)
	}
}

func TestAFolderWithoutARowIsRegisteredByTheNextStart(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	files := modeltest.Files(t, "lost")
	r.orphan(t, "lost", files)
	r.holds(t, "lost", nil, "lost-1")
	if _, err := (&usecase.SetActiveModel{Registry: r.registry, Models: r.models}).Run(t.Context(), usecase.SetActiveModelInput{ModelID: "lost-1"}); !errors.Is(err, domain.ErrModelNotFound) {
		t.Errorf("a half registered model acts: %v", err)
	}
	r.restart(t)
	r.holds(t, "lost", []string{"lost-1 ready"}, "lost-1")
	r.must(t, "lost", files, "lost-1", false)
	r.acts(t, "lost-1")
}

func TestAFolderWithoutARowIsRegisteredByTheNextCall(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	first := modeltest.Files(t, "first")
	r.orphan(t, "again", first)
	r.must(t, "again", first, "again-1", true) // the same call, repeated
	r.orphan(t, "again", modeltest.Files(t, "second"))
	r.must(t, "again", modeltest.Files(t, "third"), "again-3", true) // another one
	r.holds(t, "again", []string{"again-1 ready", "again-2 ready", "again-3 ready"}, "again-1", "again-2", "again-3")
	r.must(t, "again", modeltest.Files(t, "second"), "again-2", false)
}

func TestWhatWasStagedIsRemovedByTheNextStart(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	if _, err := r.library.StageModel("half", modeltest.Files(t, "half")); err != nil { // and the process dies
		t.Fatal(err)
	}
	if got := r.folders(t); len(got) != 1 || !strings.HasPrefix(got[0], ".staged-half-") {
		t.Fatalf("the folder has %v", got)
	}
	r.restart(t)
	r.holds(t, "half", nil)
}

func TestAModelWhoseFilesAreLostIsRepairedByRegisteringItAgain(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	files := modeltest.Files(t, "kept elsewhere")
	r.must(t, "kept", files, "kept-1", true)
	for name, damage := range map[string]func(path string) error{
		"gone":      os.RemoveAll,
		"truncated": func(path string) error { return os.Truncate(filepath.Join(path, "policy.onnx"), 100) },
	} {
		if err := damage(filepath.Join(r.folder, "kept-1")); err != nil {
			t.Fatal(err)
		}
		r.restart(t)
		if got := r.versions(t, "kept"); !slices.Equal(got, []string{"kept-1 broken"}) {
			t.Fatalf("%s: the registry has %v", name, got)
		}
		r.must(t, "kept", files, "kept-1", false)
		if got := r.versions(t, "kept"); !slices.Equal(got, []string{"kept-1 ready"}) {
			t.Fatalf("%s: after registering it again the registry has %v", name, got)
		}
		r.acts(t, "kept-1")
	}
}

func TestARegisteredVersionIsNeverReplaced(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	r.must(t, "fixed", modeltest.Files(t, "one"), "fixed-1", true)
	r.must(t, "fixed", modeltest.Files(t, "two"), "fixed-2", true)
	// Somebody copies the folder of the second version over the first.
	content, err := os.ReadFile(filepath.Join(r.folder, "fixed-2", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	content = bytes.Replace(bytes.Replace(content, []byte(`"fixed-2"`), []byte(`"fixed-1"`), 1), []byte(`"version": 2`), []byte(`"version": 1`), 1)
	network, err := os.ReadFile(filepath.Join(r.folder, "fixed-2", "policy.onnx"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"manifest.json": content, "policy.onnx": network} {
		if err := os.WriteFile(filepath.Join(r.folder, "fixed-1", name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	r.restart(t)
	r.holds(t, "fixed", []string{"fixed-1 broken", "fixed-2 ready"}, "fixed-1", "fixed-2")
	// And the file that was the first version comes back: as a version of its own.
	r.must(t, "fixed", modeltest.Files(t, "one"), "fixed-3", true)
}

func TestACopiedFolderIsListedAsBroken(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	r.must(t, "copied", modeltest.Files(t, "one"), "copied-1", true)
	target := filepath.Join(r.folder, "copied-2")
	if err := os.CopyFS(target, os.DirFS(filepath.Join(r.folder, "copied-1"))); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(target, "manifest.json")
	content, err := os.ReadFile(manifest)
	if err != nil {
		t.Fatal(err)
	}
	content = bytes.Replace(bytes.Replace(content, []byte(`"copied-1"`), []byte(`"copied-2"`), 1), []byte(`"version": 1`), []byte(`"version": 2`), 1)
	if err := os.WriteFile(manifest, content, 0o600); err != nil {
		t.Fatal(err)
	}
	r.must(t, "copied", modeltest.Files(t, "two"), "copied-3", true) // finds it on its way
	r.holds(t, "copied", []string{"copied-1 ready", "copied-2 broken", "copied-3 ready"}, "copied-1", "copied-2", "copied-3")
	r.restart(t)
	r.holds(t, "copied", []string{"copied-1 ready", "copied-2 broken", "copied-3 ready"}, "copied-1", "copied-2", "copied-3")
}

func TestNothingIsKeptWhileTheDatabaseIsAway(t *testing.T) {
	t.Parallel()
	r := newRegistration(t)
	closed, err := postgres.Open(t.Context(), postgres.Options{URL: "postgres://u@127.0.0.1:1/db?sslmode=disable"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(closed.Close)
	_, err = usecase.NewRegisterModel(closed, r.library, r.models, r.trial).Run(t.Context(), "away", modeltest.Files(t, "away"))
	if domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("got %v", err)
	}
	r.holds(t, "away", nil)
}
