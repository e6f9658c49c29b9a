package onnx

import (
	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// A file is walked before ONNX Runtime sees it, because loading runs what is in it: an operator of constants makes gigabytes of a hundred bytes,
// and data kept outside of the file is read from wherever the file says. The walk knows each field that a policy has; what it does not know is
// refused. It keeps nothing but names, which are bounded, and takes no size from the file.

// The messages of onnx.proto, by the numbers of their fields.
var (
	modelLayout = layout{
		1: number, 2: text, 3: text, 4: text, 5: number, 6: text, 7: message, 8: messages, 14: messages,
		20: refused(faultTraining), 25: refused(faultFunctions), 26: refused(faultDevices),
	}
	opsetLayout = layout{1: text, 2: number}
	noteLayout  = layout{1: text, 2: text}
	graphLayout = layout{
		1: messages, 2: text, 5: messages, 10: text, 11: messages, 12: messages, 13: messages, 14: refused(faultQuantization), 15: refused(faultSparse), 16: messages,
	}
	nodeLayout = layout{
		1: texts, 2: texts, 3: text, 4: text, 5: messages, 6: text, 7: text, 8: refused(faultDevices), 9: messages, 10: refused(faultDevices),
	}
	attributeLayout = layout{
		1: text, 2: float, 3: number, 4: text, 5: message, 7: floats, 8: numbers, 9: texts, 10: messages, 13: text, 20: number,
		6: refused(faultSubgraph), 11: refused(faultSubgraph), 14: refused(faultTypeAttribute), 15: refused(faultTypeAttribute), 21: refused(faultTypeAttribute),
		22: refused(faultSparseAttribute), 23: refused(faultSparseAttribute),
	}
	valueLayout = layout{1: text, 2: message, 3: text, 4: messages}
	typeLayout  = layout{1: message, 6: text, 4: refused(faultInnerType), 5: refused(faultInnerType), 8: refused(faultInnerType), 9: refused(faultInnerType)}
	tensorType  = layout{1: number, 2: message}
	shapeLayout = layout{1: messages}
	placeLayout = layout{1: number, 2: text, 3: text}
)

const noBatch = int64(-1) // a dimension without a length

// walk is what is known of a file while it is read.
type walk struct {
	names   map[string]bool // values that an operator may read
	nodes   int
	tensors int
	weights int
	notes   int
	inner   int             // values inside that the file declares
	outputs map[string]bool // those of the network
	input   bool
}

// readOpset walks a file and returns the version of the operators that it asks for. Errors: ErrModelBroken with a domain.NetworkFault.
func readOpset(file []byte) (int, error) {
	switch {
	case len(file) == 0:
		return 0, faultEmpty.refuse()
	case len(file) > largestFile:
		return 0, faultBytes.refuse()
	}
	w := &walk{names: map[string]bool{}, outputs: map[string]bool{}}
	var ir, opset uint64
	var graph []byte
	imports := 0
	err := modelLayout.each(file, func(f found) error {
		switch f.number {
		case 1:
			ir = f.n
		case 7:
			graph = f.bytes
		case 8:
			imports++
			version, err := readImport(f.bytes)
			opset = version
			return err
		case 14:
			return w.note(f.bytes)
		}
		return nil
	})
	switch {
	case err != nil:
		return 0, err
	case ir < oldestIR || ir > newestIR:
		return 0, faultIR.refuse()
	case imports > 1:
		return 0, faultOpsetDomain.refuse()
	case opset < oldestOpset || opset > newestOpset:
		return 0, faultOpset.refuse()
	case graph == nil:
		return 0, faultNoGraph.refuse()
	}
	return int(opset), w.graph(graph)
}

func readImport(content []byte) (version uint64, err error) {
	err = opsetLayout.each(content, func(f found) error {
		if f.number == 2 {
			version = f.n
		} else if !onnxOwn(f.bytes) {
			return faultOpsetDomain.refuse()
		}
		return nil
	})
	return version, err
}

// onnxOwn says whether a domain is ONNX's own, by either of its names.
func onnxOwn(name []byte) bool { return len(name) == 0 || string(name) == "ai.onnx" }

// note checks one piece of metadata, wherever it stands.
func (w *walk) note(content []byte) error {
	if w.notes++; w.notes > mostNotes {
		return faultNotes.refuse()
	}
	return noteLayout.each(content, func(found) error { return nil })
}

// graph reads what has names first, since an initializer may stand behind the operator that reads it, and then the operators in their order.
func (w *walk) graph(content []byte) error {
	if err := graphLayout.each(content, func(f found) error {
		switch f.number {
		case 5:
			if w.tensors++; w.tensors > mostTensors {
				return faultTensors.refuse()
			}
			name, err := w.tensor(f.bytes, faultExternal)
			if err != nil {
				return err
			}
			return w.give(name)
		case 11:
			return w.networkInput(f.bytes)
		case 12:
			return w.networkOutput(f.bytes)
		case 13:
			return w.innerValue(f.bytes)
		case 16:
			return w.note(f.bytes)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := graphLayout.each(content, func(f found) error {
		if f.number != 1 {
			return nil
		}
		if w.nodes++; w.nodes > mostNodes {
			return faultNodes.refuse()
		}
		return w.node(f.bytes)
	}); err != nil {
		return err
	}
	switch {
	case !w.input:
		return faultInputName.refuse()
	case !w.outputs[scoresName] || !w.outputs[valueName]:
		return faultOutputName.refuse()
	case w.nodes == 0:
		return faultNodes.refuse()
	case !w.names[scoresName] || !w.names[valueName]:
		return faultOutputUnknown.refuse()
	}
	return nil
}

// give takes in the name of a value.
func (w *walk) give(name []byte) error {
	switch {
	case len(name) == 0:
		return faultNoName.refuse()
	case w.names[string(name)]:
		return faultNameTwice.refuse()
	}
	w.names[string(name)] = true
	return nil
}

func (w *walk) node(content []byte) error {
	inputs, outputs, attributes := 0, 0, 0
	var operator []byte
	var named [mostAttributes][]byte
	if err := nodeLayout.each(content, func(f found) error {
		switch f.number {
		case 1:
			if inputs++; inputs > mostValues {
				return faultValues.refuse()
			}
			if len(f.bytes) > 0 && !w.names[string(f.bytes)] { // an empty name leaves out an input that need not be given
				return faultUnknownName.refuse()
			}
		case 2:
			if outputs++; outputs > mostValues {
				return faultValues.refuse()
			}
		case 4:
			operator = f.bytes
		case 5:
			if attributes == mostAttributes {
				return faultAttribute.refuse()
			}
			name, err := w.attribute(f.bytes)
			if err != nil {
				return err
			}
			for _, other := range named[:attributes] {
				if string(other) == string(name) {
					return faultNameTwice.refuse()
				}
			}
			named[attributes] = name
			attributes++
		case 7:
			if !onnxOwn(f.bytes) {
				return faultNodeDomain.refuse()
			}
		case 9:
			return w.note(f.bytes)
		}
		return nil
	}); err != nil {
		return err
	}
	if err := checkOperator(operator); err != nil {
		return err
	}
	if outputs == 0 {
		return faultValues.refuse()
	}
	return nodeLayout.each(content, func(f found) error { // what an operator gives is known after what it reads
		if f.number != 2 || len(f.bytes) == 0 {
			return nil
		}
		return w.give(f.bytes)
	})
}

func checkOperator(name []byte) error {
	switch other, known := faultOperators[string(name)]; {
	case policyOperators[string(name)]:
		return nil
	case len(name) == 0:
		return faultOperatorless.refuse()
	case known:
		return other.refuse()
	}
	return faultNewOperator.refuse()
}

// attribute returns the attribute's name.
func (w *walk) attribute(content []byte) (name []byte, err error) {
	numbers := 0
	whole := func(n uint64) error {
		if numbers++; numbers > mostNumbers || int64(n) > largestNumber || int64(n) < -largestNumber { //nolint:gosec // protobuf encodes int64 so
			return faultAttribute.refuse()
		}
		return nil
	}
	finite := func(bits uint32) error {
		if numbers++; numbers > mostNumbers {
			return faultAttribute.refuse()
		}
		return checkFinite(bits)
	}
	err = attributeLayout.each(content, func(f found) error {
		switch f.number {
		case 1:
			name = f.bytes
		case 2, 7:
			return f.eachFloat(finite)
		case 3, 8:
			return f.eachNumber(whole)
		case 5, 10:
			if w.tensors++; w.tensors > mostTensors {
				return faultTensors.refuse()
			}
			_, err := w.tensor(f.bytes, faultExternalAttribute)
			return err
		case 9:
			numbers++
			if numbers > mostNumbers {
				return faultAttribute.refuse()
			}
		}
		return nil
	})
	if err == nil && len(name) == 0 {
		err = faultAttribute.refuse()
	}
	return name, err
}

// declared is what a file says of a value: its name, its type and its dimensions, noBatch for a free one.
type declared struct {
	name       []byte
	kind       uint64
	dimensions [mostDimensions]int64
	count      int
	shaped     bool
}

func (w *walk) declaration(content []byte) (d declared, err error) {
	err = valueLayout.each(content, func(f found) error {
		switch f.number {
		case 1:
			d.name = f.bytes
		case 2:
			return typeLayout.each(f.bytes, func(f found) error {
				if f.number != 1 {
					return nil
				}
				return tensorType.each(f.bytes, func(f found) error {
					if f.number == 1 {
						d.kind = f.n
						return nil
					}
					d.shaped = true
					return d.shape(f.bytes)
				})
			})
		case 4:
			return w.note(f.bytes)
		}
		return nil
	})
	if err == nil && len(d.name) == 0 {
		err = faultNoName.refuse()
	}
	return d, err
}

func (d *declared) shape(content []byte) error {
	return shapeLayout.each(content, func(f found) error {
		if d.count == mostDimensions {
			return faultDimensions.refuse()
		}
		length := noBatch
		err := placeLayout.each(f.bytes, func(f found) error {
			if f.number == 1 {
				if f.n > longestDimension {
					return faultDimensions.refuse()
				}
				length = int64(f.n) //nolint:gosec // bounded above
			}
			return nil
		})
		d.dimensions[d.count] = length
		d.count++
		return err
	})
}

// isRows says whether a value is [batch, width] with a free batch.
func (d *declared) isRows(width int64) bool {
	return d.shaped && d.count == 2 && d.dimensions[0] == noBatch && d.dimensions[1] == width
}

func (w *walk) networkInput(content []byte) error {
	d, err := w.declaration(content)
	switch {
	case err != nil:
		return err
	case string(d.name) != inputName:
		return faultInputName.refuse()
	case d.kind != typeFloat32:
		return faultInputType.refuse()
	case !d.isRows(domain.ObservationLength):
		return faultInputShape.refuse()
	}
	w.input = true
	return w.give(d.name)
}

func (w *walk) networkOutput(content []byte) error {
	d, err := w.declaration(content)
	scores := string(d.name) == scoresName
	switch {
	case err != nil:
		return err
	case !scores && string(d.name) != valueName:
		return faultOutputName.refuse()
	case w.outputs[string(d.name)]:
		return faultNameTwice.refuse()
	case d.kind != typeFloat32:
		return faultOutputType.refuse()
	case scores && !d.isRows(scoreCount):
		return faultScoresShape.refuse()
	case !scores && !d.isRows(1):
		return faultValueShape.refuse()
	}
	w.outputs[string(d.name)] = true
	return nil
}

// innerValue is what the file says of a value inside; ONNX Runtime finds out whether it is so.
func (w *walk) innerValue(content []byte) error {
	if w.inner++; w.inner > mostNodes*2+mostTensors {
		return faultValues.refuse()
	}
	_, err := w.declaration(content)
	return err
}

// tensorLayout is a tensor's; segments, texts, doubles and external data have no place in a policy.
func tensorLayout(external *fault) layout {
	return layout{
		1: numbers, 2: number, 4: floats, 5: numbers, 7: numbers, 8: text, 9: raw, 12: text, 14: number, 16: messages,
		3: refused(faultTensorType), 6: refused(faultTensorType), 10: refused(faultTensorType), 11: refused(faultTensorType), 13: refused(external),
	}
}

var (
	weightLayout   = tensorLayout(faultExternal)
	constantLayout = tensorLayout(faultExternalAttribute)
)

// The types of tensors that a policy may hold, as onnx.proto numbers them.
const (
	typeFloat32 = 1
	typeInt32   = 6
	typeInt64   = 7
	typeBool    = 9
)

// sizes are the bytes of one raw number.
var sizes = map[uint64]int{typeFloat32: 4, typeInt32: 4, typeInt64: 8, typeBool: 1}

// places are where the numbers of a type stand when they are not raw: among floats, int32s or int64s.
var places = map[uint64]int{typeFloat32: 0, typeInt32: 1, typeBool: 1, typeInt64: 2}

// tensor returns the tensor's name.
func (w *walk) tensor(content []byte, external *fault) (name []byte, err error) {
	fields := weightLayout
	if external == faultExternalAttribute {
		fields = constantLayout
	}
	elements, dimensions := 1, 0
	var kind uint64
	var rawBytes []byte
	hasRaw := false
	var stored [3]int // numbers in the fields of floats, int32s and int64s
	err = fields.each(content, func(f found) error {
		switch f.number {
		case 1:
			return f.eachNumber(func(n uint64) error {
				if dimensions++; dimensions > mostDimensions || n > longestDimension {
					return faultDimensions.refuse()
				}
				if elements *= int(n); elements > mostWeights { //nolint:gosec // both are bounded: nothing overflows
					return faultWeights.refuse()
				}
				return nil
			})
		case 2:
			kind = f.n
		case 4:
			return f.eachFloat(func(bits uint32) error {
				stored[0]++
				return checkFinite(bits)
			})
		case 5:
			return f.eachNumber(func(uint64) error { stored[1]++; return nil })
		case 7:
			return f.eachNumber(func(uint64) error { stored[2]++; return nil })
		case 8:
			name = f.bytes
		case 9:
			rawBytes, hasRaw = f.bytes, true
		case 14:
			if f.n != 0 {
				return external.refuse()
			}
		case 16:
			return w.note(f.bytes)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	size, known := sizes[kind]
	if !known {
		return nil, faultTensorType.refuse()
	}
	if w.weights += elements; w.weights > mostWeights {
		return nil, faultWeights.refuse()
	}
	inPlace := stored[places[kind]]
	stored[places[kind]] = 0
	switch {
	case stored != [3]int{}, hasRaw && (inPlace > 0 || len(rawBytes) != elements*size), !hasRaw && inPlace != elements:
		return nil, faultTensorSize.refuse()
	}
	if kind == typeFloat32 {
		for rest := rawBytes; len(rest) >= size; rest = rest[size:] {
			bits, _ := protowire.ConsumeFixed32(rest)
			if err := checkFinite(bits); err != nil {
				return nil, err
			}
		}
	}
	return name, nil
}

// checkFinite refuses the bits of NaN and of infinities: an exponent of ones.
func checkFinite(bits uint32) error {
	const exponent = 0x7f800000
	if bits&exponent == exponent {
		return faultNotFinite.refuse()
	}
	return nil
}
