package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/hostilemodel"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

// ruleOf is the rule of a refusal; empty for any other error, which a test then reports.
func ruleOf(err error) string {
	if fault, ok := errors.AsType[*domain.NetworkFault](err); ok && errors.Is(err, domain.ErrModelBroken) {
		return fault.Rule
	}
	return ""
}

func TestEachHostileFileIsRefusedByItsOwnRule(t *testing.T) {
	cases := hostilemodel.Walked()
	if len(cases) < 60 {
		t.Errorf("only %d files", len(cases))
	}
	rules := map[string]bool{}
	for _, c := range cases {
		_, err := readOpset(c.File)
		if rule := ruleOf(err); rule == "" || c.Rule != "" && rule != c.Rule {
			t.Errorf("%s: %v, want %s", c.Name, err, c.Rule)
		}
		rules[c.Rule] = true
	}
	t.Logf("%d files, %d rules", len(cases), len(rules))
	if _, err := readOpset(nil); ruleOf(err) != "model.walk.empty" {
		t.Errorf("nothing: %v", err)
	}
	if _, err := readOpset(make([]byte, largestFile+1)); ruleOf(err) != "model.walk.bytes" {
		t.Errorf("more than allowed: %v", err)
	}
}

func TestTheWalkTakesWhatPoliciesAreMadeOf(t *testing.T) {
	if version, err := readOpset(hostilemodel.Right()); err != nil || version != 18 {
		t.Errorf("a whole one: %d, %v", version, err)
	}
	for _, c := range hostilemodel.Tried() { // what is wrong with these is not in their fields
		if _, err := readOpset(c.File); err != nil {
			t.Errorf("%s: %v", c.Name, err)
		}
	}
	files, err := filepath.Glob("../../../../ml/models/*/policy.onnx")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d networks, %v", len(files), err)
	}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if version, err := readOpset(content); err != nil || version != 18 {
			t.Errorf("%s: opset %d, %v", filepath.Base(filepath.Dir(file)), version, err)
		}
	}
}

// The walk keeps names and nothing else, however large a file says that it is.
func TestTheWalkTakesNoSizeFromTheFile(t *testing.T) {
	for _, c := range hostilemodel.Walked() {
		small := len(c.File) < 10_000
		if allocations := testing.AllocsPerRun(1, func() { _, _ = readOpset(c.File) }); small && allocations > 1000 {
			t.Errorf("%s: %v allocations", c.Name, allocations)
		}
	}
}

func TestMutantsAreRefusedOrWalkedThrough(t *testing.T) {
	count := 300
	if measured.Quiet() {
		count = 20_000
	}
	through := 0
	for m := range hostilemodel.Mutants(hostilemodel.Right(), count, 1) {
		_, err := readOpset(m)
		if err == nil {
			through++
		} else if ruleOf(err) == "" {
			t.Fatalf("%v is no refusal", err)
		}
	}
	t.Logf("%d of %d mutants went through the walk", through, count)
}

func FuzzWalk(f *testing.F) {
	f.Add(hostilemodel.Right())
	for _, c := range append(hostilemodel.Walked(), hostilemodel.Tried()...) {
		if len(c.File) < 4000 {
			f.Add(c.File)
		}
	}
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := readOpset(file); err != nil && ruleOf(err) == "" {
			t.Errorf("%v is no refusal", err)
		}
	})
}
