package onnxtrial

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/hostilemodel"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

func TestMain(m *testing.M) {
	ServeIfChild()
	goleak.VerifyTestMain(m)
}

func newTrial(t testing.TB) *Trial {
	t.Helper()
	path := os.Getenv("ONNXRUNTIME_LIB")
	if path == "" {
		found, _ := filepath.Glob("../../../../.tools/light/lib/python*/site-packages/onnxruntime/capi/libonnxruntime.so.*")
		if len(found) == 0 {
			t.Fatal("no ONNX Runtime: run `make tools`, or set ONNXRUNTIME_LIB")
		}
		path = found[0]
	}
	trial, err := New(path)
	if err != nil {
		t.Fatal(err)
	}
	return trial
}

// ruleOf is the rule of a refusal; empty for any other error, which a test then reports.
func ruleOf(err error) string {
	if fault, ok := errors.AsType[*domain.NetworkFault](err); ok && errors.Is(err, domain.ErrModelBroken) {
		return fault.Rule
	}
	return ""
}

func TestShippedNetworksAndARightFilePass(t *testing.T) {
	trial := newTrial(t)
	files, err := filepath.Glob("../../../../ml/models/*/policy.onnx")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d networks, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := trial.TryNetwork(t.Context(), content); err != nil {
			t.Errorf("%s: %v", filepath.Base(filepath.Dir(file)), err)
		}
	}
	if err := trial.TryNetwork(t.Context(), hostilemodel.Right()); err != nil {
		t.Error(err)
	}
}

// What these files do, they do to the child: the test's process goes on, and no folder of theirs is left.
func TestWhatTheWalkLetsThroughIsRefusedByItsOwnRule(t *testing.T) {
	trial := newTrial(t)
	t.Setenv("TMPDIR", t.TempDir())
	for _, c := range append(hostilemodel.Tried(), hostilemodel.Case{Name: "sparse", File: hostilemodel.Walked()[6].File, Rule: "model.walk.sparse"}) {
		err := trial.TryNetwork(t.Context(), c.File)
		if rule := ruleOf(err); rule != c.Rule {
			t.Errorf("%s: %v, want %s", c.Name, err, c.Rule)
			continue
		}
		refusal, _ := errors.AsType[*domain.Error](err)
		for _, name := range []string{"evil", "tall", "square", "back", os.TempDir()} {
			if strings.Contains(refusal.Message, name) {
				t.Errorf("%s: %q is of the file or of this machine", c.Name, refusal.Message)
			}
		}
	}
	if left, err := os.ReadDir(os.TempDir()); err != nil || len(left) != 0 {
		t.Errorf("%d folders are left, %v", len(left), err)
	}
	if err := trial.TryNetwork(t.Context(), hostilemodel.Right()); err != nil {
		t.Errorf("after them: %v", err)
	}
}

// A mutant that the walk lets through either passes the child or is refused by it; neither harms this process.
func TestMutantsAreRefusedOrPass(t *testing.T) {
	trial := newTrial(t)
	count, most := 300, 5
	if measured.Quiet() {
		count, most = 20_000, 20_000
	}
	passed, refused := 0, map[string]int{}
	for m := range hostilemodel.Mutants(hostilemodel.Right(), count, 2) {
		err := trial.TryNetwork(t.Context(), m)
		switch rule := ruleOf(err); {
		case err == nil:
			passed++
		case rule == "":
			t.Fatalf("%v is no refusal", err)
		default:
			refused[rule]++
			if strings.HasPrefix(rule, "model.walk.") {
				continue
			}
		}
		if most--; most == 0 { // of those that reach a child
			break
		}
	}
	t.Logf("%d passed; refused: %v", passed, refused)
}

func TestAProgramThatIsNoChildAndALibraryThatIsNoneAreUnavailable(t *testing.T) {
	for name, trial := range map[string]*Trial{
		"no program": {program: "/nonexistent", turn: make(chan struct{}, 1)},
		"no child":   {program: "/bin/true", turn: make(chan struct{}, 1)},
		"no library": {program: newTrial(t).program, library: "/nonexistent", turn: make(chan struct{}, 1)},
	} {
		if err := trial.TryNetwork(t.Context(), hostilemodel.Right()); domain.CodeOf(err) != domain.CodeUnavailable {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestACallerWhoLeavesEndsTheTrial(t *testing.T) {
	trial := newTrial(t)
	ctx, leave := context.WithCancelCause(t.Context())
	left := errors.New("left")
	leave(left)
	if err := trial.TryNetwork(ctx, hostilemodel.Right()); !errors.Is(err, left) {
		t.Errorf("got %v", err)
	}
	trial.turn <- struct{}{} // somebody else's network is tried
	if err := trial.TryNetwork(ctx, hostilemodel.Right()); !errors.Is(err, left) {
		t.Errorf("got %v", err)
	}
}

// The child has no variable, an empty folder that it can't fill, and limits.
func TestTheChildHasNothing(t *testing.T) {
	trial := newTrial(t)
	t.Setenv("SECRET_OF_THE_SERVER", "1")
	folder := t.TempDir()
	script := filepath.Join(folder, "look")
	if err := os.WriteFile(script, []byte("#!/bin/sh\n/usr/bin/env > "+folder+"/environment\n/bin/ls -A > "+folder+"/files\n"), 0o700); err != nil { //nolint:gosec // it is run
		t.Fatal(err)
	}
	trial.program = script
	if err := trial.TryNetwork(t.Context(), hostilemodel.Right()); domain.CodeOf(err) != domain.CodeUnavailable {
		t.Errorf("got %v", err)
	}
	seen, err := os.ReadFile(filepath.Join(folder, "environment"))
	if err != nil || bytes.Contains(seen, []byte("SECRET")) || bytes.Contains(seen, []byte("HOME=")) {
		t.Errorf("it saw %q, %v", seen, err)
	}
	if files, err := os.ReadFile(filepath.Join(folder, "files")); err != nil || len(files) != 0 {
		t.Errorf("its folder holds %q, %v", files, err)
	}
}
