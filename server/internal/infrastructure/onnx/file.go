package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// A file is read before ONNX Runtime sees it, because loading runs what is in it: an operator of constants makes gigabytes of a hundred bytes,
// and data kept outside of the file is read from wherever the file says.

// This keeps mistakes out, and the cheapest attacks. It is no sandbox: who may register a model is trusted not to aim at the server.

// policyOperators are what policies are made of: dense layers and what lies between them.
var policyOperators = map[string]bool{
	"Add": true, "Cast": true, "Clip": true, "Concat": true, "Constant": true, "Div": true, "Elu": true, "Flatten": true, "Gather": true, "Gemm": true,
	"Identity": true, "LeakyRelu": true, "LogSoftmax": true, "MatMul": true, "Max": true, "Min": true, "Mul": true, "Neg": true, "ReduceMax": true,
	"ReduceMean": true, "ReduceSum": true, "Relu": true, "Reshape": true, "Shape": true, "Sigmoid": true, "Slice": true, "Softmax": true,
	"Squeeze": true, "Sub": true, "Tanh": true, "Transpose": true, "Unsqueeze": true,
}

// Fields of onnx.proto, by message, that are looked at.
const (
	modelGraph     = 7
	modelOpset     = 8
	modelTraining  = 20
	modelFunctions = 25

	graphNode        = 1
	graphInitializer = 5
	graphSparse      = 15

	nodeOperator  = 4
	nodeAttribute = 5
	nodeDomain    = 7

	attributeTensor  = 5
	attributeGraph   = 6
	attributeTensors = 10
	attributeGraphs  = 11
	attributeSparse  = 22
	attributeSparses = 23

	tensorExternal = 13
	tensorLocation = 14

	opsetDomain  = 1
	opsetVersion = 2
)

// readOpset checks that the file is made of nothing but what policies need, and returns the version of the operators that it asks for.
// Errors: ErrModelBroken.
func readOpset(file []byte) (int, error) {
	opset := 0
	err := eachField(file, func(number protowire.Number, value []byte, _ uint64) error {
		switch number {
		case modelGraph:
			return checkGraph(value)
		case modelOpset:
			version, err := readOpsetImport(value)
			opset = version
			return err
		case modelTraining, modelFunctions:
			return domain.BrokenModel("its network holds functions or training information; a policy needs neither", nil)
		}
		return nil
	})
	if err == nil && opset == 0 {
		err = errNoONNX
	}
	return opset, err
}

var errNoONNX = domain.BrokenModel("its policy.onnx can't be loaded: it is no ONNX file, or cut short", nil)

func readOpsetImport(message []byte) (version int, err error) {
	name := ""
	err = eachField(message, func(number protowire.Number, value []byte, n uint64) error {
		switch number {
		case opsetDomain:
			name = string(value)
		case opsetVersion:
			version = int(min(n, 1<<16)) //nolint:gosec // bounded on this line
		}
		return nil
	})
	if err == nil && name != "" && name != "ai.onnx" {
		err = domain.BrokenModel(fmt.Sprintf("its network uses operators of %.40q; those of ONNX itself are allowed", name), nil)
	}
	return version, err
}

func checkGraph(message []byte) error {
	return eachField(message, func(number protowire.Number, value []byte, _ uint64) error {
		switch number {
		case graphNode:
			return checkNode(value)
		case graphInitializer:
			return checkTensor(value)
		case graphSparse:
			return errSparse
		}
		return nil
	})
}

func checkNode(message []byte) error {
	return eachField(message, func(number protowire.Number, value []byte, _ uint64) error {
		switch number {
		case nodeOperator:
			if !policyOperators[string(value)] {
				return domain.BrokenModel(fmt.Sprintf("its network uses the operator %.40q; a policy may use %s", value, allowedOperators), nil)
			}
		case nodeDomain:
			if len(value) > 0 && string(value) != "ai.onnx" {
				return domain.BrokenModel(fmt.Sprintf("its network uses an operator of %.40q; those of ONNX itself are allowed", value), nil)
			}
		case nodeAttribute:
			return checkAttribute(value)
		}
		return nil
	})
}

var allowedOperators = strings.Join(slices.Sorted(maps.Keys(policyOperators)), ", ")

func checkAttribute(message []byte) error {
	return eachField(message, func(number protowire.Number, value []byte, _ uint64) error {
		switch number {
		case attributeTensor, attributeTensors:
			return checkTensor(value)
		case attributeGraph, attributeGraphs:
			return domain.BrokenModel("its network has a graph inside an operator; a policy needs none", nil)
		case attributeSparse, attributeSparses:
			return errSparse
		}
		return nil
	})
}

var errSparse = domain.BrokenModel("its network has sparse weights; dense ones are allowed", nil)

func checkTensor(message []byte) error {
	return eachField(message, func(number protowire.Number, _ []byte, n uint64) error {
		if number == tensorExternal || number == tensorLocation && n != 0 {
			return domain.BrokenModel("its network keeps weights outside of policy.onnx; they must lie in the file", nil)
		}
		return nil
	})
}

// eachField calls visit with the fields of a message in turn: value holds what has a length, n a number.
func eachField(message []byte, visit func(number protowire.Number, value []byte, n uint64) error) error {
	for len(message) > 0 {
		number, kind, size := protowire.ConsumeTag(message)
		if size < 0 {
			return errNoONNX
		}
		message = message[size:]
		var value []byte
		var n uint64
		switch kind {
		case protowire.BytesType:
			value, size = protowire.ConsumeBytes(message)
		case protowire.VarintType:
			n, size = protowire.ConsumeVarint(message)
		default:
			size = protowire.ConsumeFieldValue(number, kind, message)
		}
		if size < 0 {
			return errNoONNX
		}
		message = message[size:]
		if err := visit(number, value, n); err != nil {
			return err
		}
	}
	return nil
}
