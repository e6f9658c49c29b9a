package onnx

import (
	"encoding/binary"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/testing/hostilemodel"
)

// openRuntime opens the library that the environment names, or the project's own.
func openRuntime(t testing.TB) *Runtime {
	t.Helper()
	path := os.Getenv("ONNXRUNTIME_LIB")
	if path == "" {
		found, _ := filepath.Glob("../../../../.tools/light/lib/python*/site-packages/onnxruntime/capi/libonnxruntime.so.*")
		if len(found) == 0 {
			t.Fatal("no ONNX Runtime: run `make tools`, or set ONNXRUNTIME_LIB")
		}
		path = found[0]
	}
	r, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := r.Close(); err != nil {
			t.Error(err)
		}
	})
	return r
}

// value is an input or output of a written file.
type value struct {
	name  string
	dtype uint64  // 1 float32, 11 float64
	shape []int64 // −1 is the free batch
}

// policyFile describes an ONNX file of one matrix product for each output; the zero value of a field means the right one.
type policyFile struct{ input, scores, values value }

func rightFile() policyFile {
	return policyFile{
		input:  value{"observation", 1, []int64{-1, 25}},
		scores: value{"action_scores", 1, []int64{-1, 4}},
		values: value{"state_value", 1, []int64{-1, 1}},
	}
}

// weight is what the file multiplies observation i with for output j: exact in float32, so that sums are, too.
func weight(i, j int) float32 { return float32((i*7+j*3)%11-5) / 8 }

// write encodes the file; the fields are those of onnx.proto.
func (f policyFile) write() []byte {
	message := func(field protowire.Number, parts ...[]byte) []byte {
		var body []byte
		for _, p := range parts {
			body = append(body, p...)
		}
		return protowire.AppendBytes(protowire.AppendTag(nil, field, protowire.BytesType), body)
	}
	text := func(field protowire.Number, s string) []byte { return message(field, []byte(s)) }
	number := func(field protowire.Number, n uint64) []byte {
		return protowire.AppendVarint(protowire.AppendTag(nil, field, protowire.VarintType), n)
	}
	info := func(field protowire.Number, v value) []byte {
		var dims [][]byte
		for _, d := range v.shape {
			if d < 0 {
				dims = append(dims, message(1, text(2, "batch")))
			} else {
				dims = append(dims, message(1, number(1, uint64(d))))
			}
		}
		return message(field, text(1, v.name), message(2, message(1, number(1, v.dtype), message(2, dims...))))
	}
	matrix := func(name string, v value, rows int64) []byte {
		cols := v.shape[len(v.shape)-1]
		var raw []byte
		for i := range rows {
			for j := range cols {
				w := weight(int(i), int(j))
				if v.dtype == 11 {
					raw = binary.LittleEndian.AppendUint64(raw, math.Float64bits(float64(w)))
				} else {
					raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(w))
				}
			}
		}
		return message(5, number(1, uint64(rows)), number(1, uint64(cols)), number(2, v.dtype), text(8, name), message(9, raw))
	}
	product := func(weights string, v value) []byte {
		return message(1, text(1, f.input.name), text(1, weights), text(2, v.name), text(4, "MatMul"))
	}
	rows := f.input.shape[len(f.input.shape)-1]
	parts := [][]byte{product("w", f.scores)}
	if f.values.name != "" {
		parts = append(parts, product("v", f.values))
	}
	parts = append(parts, text(2, "policy"), matrix("w", f.scores, rows))
	if f.values.name != "" {
		parts = append(parts, matrix("v", f.values, rows))
	}
	parts = append(parts, info(11, f.input), info(12, f.scores))
	if f.values.name != "" {
		parts = append(parts, info(12, f.values))
	}
	return append(append(number(1, 8), message(7, parts...)...), message(8, number(2, 17))...)
}

func TestNetworkScoresOneObservationAndABatchAlike(t *testing.T) {
	n, err := openRuntime(t).LoadNetwork(rightFile().write())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	const batch = 300
	observations := make([]float32, batch*domain.ObservationLength)
	for i := range observations {
		observations[i] = float32(i%17)/16 - 0.5
	}
	scores, values := make([]float32, 4*batch), make([]float32, batch)
	if err := n.Infer(observations, scores, values); err != nil {
		t.Fatal(err)
	}
	for k := range batch {
		one := observations[k*domain.ObservationLength : (k+1)*domain.ObservationLength]
		var got, want [4]float32
		var gotValue [1]float32
		if err := n.Infer(one, got[:], gotValue[:]); err != nil {
			t.Fatal(err)
		}
		for i, o := range one {
			for j := range 4 {
				want[j] += o * weight(i, j)
			}
		}
		if got != want || gotValue[0] != want[0] {
			t.Fatalf("observation %d scores %v, value %v; want %v", k, got, gotValue, want)
		}
		if [4]float32(scores[4*k:]) != want || values[k] != want[0] {
			t.Fatalf("observation %d in the batch scores %v, value %v; want %v", k, scores[4*k:4*k+4], values[k], want)
		}
	}
}

func TestBrokenFilesAreRefusedWithTheReason(t *testing.T) {
	r := openRuntime(t)
	with := func(change func(*policyFile)) []byte {
		f := rightFile()
		change(&f)
		return f.write()
	}
	whole := rightFile().write()
	for name, c := range map[string]struct {
		file   []byte
		reason string
	}{
		"empty":                {nil, "empty"},
		"random":               {[]byte("no protobuf at all, but long enough to be looked at"), "can't be loaded"},
		"cut short":            {whole[:len(whole)/2], "can't be loaded"},
		"other input name":     {with(func(f *policyFile) { f.input.name = "view" }), "another input than observation"},
		"other output name":    {with(func(f *policyFile) { f.scores.name = "scores" }), "other outputs than action_scores and state_value"},
		"missing output":       {with(func(f *policyFile) { f.values.name = "" }), "other outputs than action_scores and state_value"},
		"frozen batch":         {with(func(f *policyFile) { f.input.shape = []int64{1, 25} }), "another shape than [batch, 25], or a frozen batch"},
		"too few observations": {with(func(f *policyFile) { f.input.shape = []int64{-1, 24} }), "another shape than [batch, 25]"},
		"too many scores":      {with(func(f *policyFile) { f.scores.shape = []int64{-1, 5} }), "another shape than [batch, 4]"},
		"doubles":              {with(func(f *policyFile) { f.input.dtype, f.scores.dtype, f.values.dtype = 11, 11, 11 }), "weights of a type that is not allowed"},
		"no product":           {hostilemodel.Tried()[0].File, "can't be loaded by ONNX Runtime"},
	} {
		t.Run(name, func(t *testing.T) {
			n, err := r.LoadNetwork(c.file)
			if err == nil {
				n.Close()
				t.Fatal("it was loaded")
			}
			broken, ok := errors.AsType[*domain.Error](err)
			if !ok || !errors.Is(err, domain.ErrModelBroken) || !strings.Contains(broken.Message, c.reason) {
				t.Errorf("error %v; want a broken model because %q", err, c.reason)
			}
		})
	}
}

func TestInferRefusesSlicesThatDoNotFit(t *testing.T) {
	n, err := openRuntime(t).LoadNetwork(rightFile().write())
	if err != nil {
		t.Fatal(err)
	}
	for _, lengths := range [][3]int{{0, 0, 0}, {24, 4, 1}, {25, 3, 1}, {25, 4, 2}, {50, 4, 1}, {26, 4, 1}} {
		if err := n.Infer(make([]float32, lengths[0]), make([]float32, lengths[1]), make([]float32, lengths[2])); err == nil {
			t.Errorf("lengths %v were taken", lengths)
		}
	}
	for range 2 {
		if err := n.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if err := n.Infer(make([]float32, 25), make([]float32, 4), make([]float32, 1)); err == nil {
		t.Error("a closed network inferred")
	}
}

func TestManyGoroutinesShareOneNetwork(t *testing.T) {
	n, err := openRuntime(t).LoadNetwork(rightFile().write())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	var wait sync.WaitGroup
	for g := range 16 {
		wait.Go(func() {
			var observation [25]float32
			var scores [4]float32
			var state [1]float32
			observation[g] = 1
			for range 500 {
				if err := n.Infer(observation[:], scores[:], state[:]); err != nil {
					t.Error(err)
					return
				}
				if scores[1] != weight(g, 1) {
					t.Errorf("goroutine %d got the scores of another one", g)
					return
				}
			}
		})
	}
	wait.Wait()
}

func TestInferAllocatesNothingForOneObservation(t *testing.T) {
	n, err := openRuntime(t).LoadNetwork(rightFile().write())
	if err != nil {
		t.Fatal(err)
	}
	defer n.Close()
	observation, scores, state := make([]float32, 25), make([]float32, 4), make([]float32, 1)
	if got := testing.AllocsPerRun(100, func() { _ = n.Infer(observation, scores, state) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func BenchmarkInfer(b *testing.B) {
	n, err := openRuntime(b).LoadNetwork(rightFile().write())
	if err != nil {
		b.Fatal(err)
	}
	defer n.Close()
	observation, scores, state := make([]float32, 25), make([]float32, 4), make([]float32, 1)
	for b.Loop() {
		if err := n.Infer(observation, scores, state); err != nil {
			b.Fatal(err)
		}
	}
}
