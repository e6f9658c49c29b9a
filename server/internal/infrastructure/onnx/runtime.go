// Package onnx runs policy networks with ONNX Runtime. It knows the shape that a policy network has and nothing of what the numbers mean; which
// file is loaded, and whether it is the right one, is decided elsewhere.
package onnx

import (
	"fmt"
	"strings"
	"sync"

	ort "github.com/yalue/onnxruntime_go"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// The interface of a policy network.
const (
	inputName  = "observation"
	scoresName = "action_scores"
	valueName  = "state_value"
	scoreCount = 4
)

// Runtime is ONNX Runtime, loaded into the process. There is one a process, because the library has one environment.
type Runtime struct {
	options *ort.SessionOptions
	counts  counts
}

// environment counts the users of the library's one environment.
var environment struct {
	sync.Mutex
	users int
	path  string
}

// Open loads the shared library. It may be called again with the same path; each Runtime is closed by its own Close.
func Open(libraryPath string) (*Runtime, error) {
	environment.Lock()
	defer environment.Unlock()
	if environment.users > 0 && environment.path != libraryPath {
		return nil, fmt.Errorf("open ONNX Runtime: another library is loaded already")
	}
	if environment.users == 0 {
		ort.SetSharedLibraryPath(libraryPath)
		if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
			return nil, fmt.Errorf("open ONNX Runtime at %s: %w", libraryPath, err)
		}
		_ = ort.DisableTelemetry() // official Linux builds have none; where there is one, it stays off
		environment.path = libraryPath
	}
	options, err := sessionOptions()
	if err != nil {
		if environment.users == 0 {
			_ = ort.DestroyEnvironment() // the error below says more
		}
		return nil, fmt.Errorf("set ONNX Runtime's session options: %w", err)
	}
	environment.users++
	return &Runtime{options: options}, nil
}

// Version of the loaded library.
func (r *Runtime) Version() string { return ort.GetVersion() }

// sessionOptions are for networks whose whole computation takes microseconds: any second thread, arena or plan costs more than it saves.
func sessionOptions() (*ort.SessionOptions, error) {
	o, err := ort.NewSessionOptions()
	if err != nil {
		return nil, err
	}
	for _, set := range []func() error{
		func() error { return o.SetIntraOpNumThreads(1) },
		func() error { return o.SetInterOpNumThreads(1) },
		func() error { return o.SetExecutionMode(ort.ExecutionModeSequential) },
		func() error { return o.SetGraphOptimizationLevel(ort.GraphOptimizationLevelEnableAll) },
		func() error { return o.AddSessionConfigEntry("session.intra_op.allow_spinning", "0") },
		func() error { return o.AddSessionConfigEntry("session.inter_op.allow_spinning", "0") },
		func() error { return o.SetCpuMemArena(false) },
		func() error { return o.SetMemPattern(false) },
	} {
		if err := set(); err != nil {
			return nil, err
		}
	}
	return o, nil
}

// Close frees what this Runtime holds; all its networks must be closed before.
func (r *Runtime) Close() error {
	environment.Lock()
	defer environment.Unlock()
	if r.options == nil {
		return nil
	}
	err := r.options.Destroy()
	r.options = nil
	if environment.users--; environment.users == 0 {
		if destroyErr := ort.DestroyEnvironment(); err == nil {
			err = destroyErr
		}
	}
	return err
}

// LoadNetwork makes a network of the bytes of an ONNX file. What is wrong with a file is domain.ErrModelBroken with the reason.
func (r *Runtime) LoadNetwork(onnx []byte) (domain.Network, error) {
	if len(onnx) == 0 {
		return nil, domain.BrokenModel("its policy.onnx is empty", nil)
	}
	opset, err := readOpset(onnx)
	if err != nil {
		return nil, err
	}
	inputs, outputs, err := ort.GetInputOutputInfoWithONNXData(onnx)
	if err != nil {
		return nil, domain.BrokenModel("its policy.onnx can't be loaded by ONNX Runtime", err)
	}
	if err := checkValues("input", inputs, map[string]int64{inputName: domain.ObservationLength}); err != nil {
		return nil, err
	}
	if err := checkValues("output", outputs, map[string]int64{scoresName: scoreCount, valueName: 1}); err != nil {
		return nil, err
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(onnx, []string{inputName}, []string{scoresName, valueName}, r.options)
	if err != nil {
		return nil, domain.BrokenModel("its policy.onnx can't be loaded by ONNX Runtime", err)
	}
	return newNetwork(session, opset, &r.counts), nil
}

// checkValues requires exactly the wanted inputs or outputs: float32 of shape [batch, width], batch free.
func checkValues(what string, got []ort.InputOutputInfo, want map[string]int64) error {
	names := make([]string, len(got))
	for i, v := range got {
		names[i] = v.Name
	}
	if len(got) != len(want) {
		return domain.BrokenModel(fmt.Sprintf("its network has %d %ss (%s) instead of %d", len(got), what, strings.Join(names, ", "), len(want)), nil)
	}
	for _, v := range got {
		width, known := want[v.Name]
		switch {
		case !known:
			return domain.BrokenModel(fmt.Sprintf("its network has an %s named %q", what, v.Name), nil)
		case v.OrtValueType != ort.ONNXTypeTensor || v.DataType != ort.TensorElementDataTypeFloat:
			return domain.BrokenModel(fmt.Sprintf("the %s %q of its network is no float32 tensor", what, v.Name), nil)
		case len(v.Dimensions) != 2 || v.Dimensions[0] != -1 || v.Dimensions[1] != width:
			return domain.BrokenModel(fmt.Sprintf("the %s %q of its network has the shape %s instead of [batch, %d]", what, v.Name, v.Dimensions, width), nil)
		}
	}
	return nil
}
