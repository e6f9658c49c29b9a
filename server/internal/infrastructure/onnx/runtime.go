// Package onnx runs policy networks with ONNX Runtime. It knows the shape that a policy network has and nothing of what the numbers mean; which
// file is loaded, and whether it is the right one, is decided elsewhere.
package onnx

import (
	"fmt"
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

// Walk reads a file field by field, in this process and without ONNX Runtime, and refuses what no policy has. Errors: domain.ErrModelBroken with a
// domain.NetworkFault of the rules "model.walk.…".
func Walk(onnx []byte) error {
	_, err := readOpset(onnx)
	return err
}

// What ONNX Runtime may find wrong with a file that the walk lets through. Its own words can hold names of the file: they are for the log.
func loadFault(cause error) error {
	return domain.BrokenModel("its policy.onnx can't be loaded by ONNX Runtime; a network that onnxruntime loads is needed, as the export checks it", &domain.NetworkFault{Rule: "model.trial.load", Cause: cause})
}

func shapeFault() error {
	return domain.BrokenModel("its policy.onnx has other inputs or outputs once it is loaded; "+policyShape, &domain.NetworkFault{Rule: "model.trial.shape"})
}

// LoadNetwork makes a network of the bytes of an ONNX file, after a walk over it. What is wrong with a file is domain.ErrModelBroken with the
// reason and a domain.NetworkFault.
func (r *Runtime) LoadNetwork(onnx []byte) (domain.Network, error) {
	opset, err := readOpset(onnx)
	if err != nil {
		return nil, err
	}
	inputs, outputs, err := ort.GetInputOutputInfoWithONNXData(onnx)
	if err != nil {
		return nil, loadFault(err)
	}
	if !fits(inputs, map[string]int64{inputName: domain.ObservationLength}) || !fits(outputs, map[string]int64{scoresName: scoreCount, valueName: 1}) {
		return nil, shapeFault()
	}
	session, err := ort.NewDynamicAdvancedSessionWithONNXData(onnx, []string{inputName}, []string{scoresName, valueName}, r.options)
	if err != nil {
		return nil, loadFault(err)
	}
	return newNetwork(session, opset, &r.counts), nil
}

// fits requires exactly the wanted inputs or outputs: float32 of shape [batch, width], batch free.
func fits(got []ort.InputOutputInfo, want map[string]int64) bool {
	for _, v := range got {
		width, known := want[v.Name]
		if !known || v.OrtValueType != ort.ONNXTypeTensor || v.DataType != ort.TensorElementDataTypeFloat || len(v.Dimensions) != 2 || v.Dimensions[0] != -1 || v.Dimensions[1] != width {
			return false
		}
	}
	return len(got) == len(want)
}
