package main

import (
	"errors"
	"fmt"
	"path/filepath"

	ort "github.com/yalue/onnxruntime_go"
)

// The interface of a policy network.
const (
	inputName         = "observation"
	scoresName        = "action_scores"
	valueName         = "state_value"
	observationLength = 25 // the 5 × 5 cells around the agent
	actionCount       = 4  // up, down, left, right
)

// network is a loaded policy network. ONNX Runtime is one a process, so is this.
type network struct {
	session *ort.DynamicAdvancedSession
}

// open loads the library and the network, and requires the names, types and shapes that every policy of the project has.
func open(library, path string) (n *network, err error) {
	ort.SetSharedLibraryPath(library)
	if err := ort.InitializeEnvironment(ort.WithLogLevelError()); err != nil {
		return nil, fmt.Errorf("load ONNX Runtime: %w", err)
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, ort.DestroyEnvironment())
		}
	}()
	inputs, outputs, err := ort.GetInputOutputInfo(path)
	if err != nil {
		return nil, fmt.Errorf("read the network: %w", err)
	}
	if err := check("input", inputs, map[string]int64{inputName: observationLength}); err != nil {
		return nil, err
	}
	if err := check("output", outputs, map[string]int64{scoresName: actionCount, valueName: 1}); err != nil {
		return nil, err
	}
	options, err := ort.NewSessionOptions()
	if err != nil {
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	defer func() { err = errors.Join(err, options.Destroy()) }()
	// So small a network is done before a second thread has woken up.
	if err := errors.Join(options.SetIntraOpNumThreads(1), options.SetInterOpNumThreads(1)); err != nil {
		return nil, fmt.Errorf("set up the session: %w", err)
	}
	session, err := ort.NewDynamicAdvancedSession(path, []string{inputName}, []string{scoresName, valueName}, options)
	if err != nil {
		return nil, fmt.Errorf("load the network: %w", err)
	}
	return &network{session: session}, nil
}

// check requires exactly the wanted inputs or outputs: float32 of shape [batch, width] with a free batch.
func check(what string, got []ort.InputOutputInfo, want map[string]int64) error {
	if len(got) != len(want) {
		return fmt.Errorf("the network has %d %ss instead of %d", len(got), what, len(want))
	}
	for _, value := range got {
		width, known := want[value.Name]
		switch {
		case !known:
			return fmt.Errorf("the network has an %s named %q", what, value.Name)
		case value.OrtValueType != ort.ONNXTypeTensor || value.DataType != ort.TensorElementDataTypeFloat:
			return fmt.Errorf("the %s %q is no float32 tensor", what, value.Name)
		case len(value.Dimensions) != 2 || value.Dimensions[0] != -1 || value.Dimensions[1] != width:
			return fmt.Errorf("the %s %q has the shape %s instead of [batch, %d]", what, value.Name, value.Dimensions, width)
		}
	}
	return nil
}

func (n *network) version() string { return ort.GetVersion() }

func (n *network) close() error { return errors.Join(n.session.Destroy(), ort.DestroyEnvironment()) }

// bound is memory for one batch size, tied to the network once, so that a call allocates nothing.
type bound struct {
	session *ort.DynamicAdvancedSession
	binding *ort.IoBinding
	tensors []*ort.Tensor[float32]
	input   []float32 // batch · 25
	scores  []float32 // batch · 4
	values  []float32 // batch
}

// bind makes memory for one batch size; the caller destroys it.
func (n *network) bind(batch int) (b *bound, err error) {
	b = &bound{
		session: n.session,
		input:   make([]float32, batch*observationLength),
		scores:  make([]float32, batch*actionCount),
		values:  make([]float32, batch),
	}
	defer func() {
		if err != nil {
			err = errors.Join(fmt.Errorf("bind a batch of %d: %w", batch, err), b.destroy())
			b = nil
		}
	}()
	if b.binding, err = n.session.CreateIoBinding(); err != nil {
		return b, err
	}
	for _, part := range []struct {
		name string
		data []float32
		bind func(string, ort.Value) error
	}{
		{inputName, b.input, b.binding.BindInput},
		{scoresName, b.scores, b.binding.BindOutput},
		{valueName, b.values, b.binding.BindOutput},
	} {
		tensor, err := ort.NewTensor(ort.NewShape(int64(batch), int64(len(part.data)/batch)), part.data)
		if err != nil {
			return b, err
		}
		b.tensors = append(b.tensors, tensor)
		if err := part.bind(part.name, tensor); err != nil {
			return b, err
		}
	}
	return b, nil
}

// run asks the network about what stands in input; scores and values hold its answer.
func (b *bound) run() error { return b.session.RunWithBinding(b.binding) }

func (b *bound) destroy() error {
	var faults []error
	if b.binding != nil {
		faults = append(faults, b.binding.Destroy())
	}
	for _, tensor := range b.tensors {
		faults = append(faults, tensor.Destroy())
	}
	return errors.Join(faults...)
}

// installedLibrary finds the ONNX Runtime that `make run` and `make test` install inside this repository.
func installedLibrary() (string, error) {
	found, err := filepath.Glob("../../.tools/light/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*")
	if err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", errors.New("no ONNX Runtime in this repository: run `python3 scripts/bootstrap.py light` in its root, or name a library with -library or ONNXRUNTIME_LIB")
	}
	return found[len(found)-1], nil
}
