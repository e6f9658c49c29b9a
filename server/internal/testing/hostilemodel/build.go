// Package hostilemodel makes ONNX files that no server should take in: broken ones and those that somebody aims at it. Each names the rule
// that refuses it. Only tests import it.
package hostilemodel

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"

	"google.golang.org/protobuf/encoding/protowire"
)

// message encodes a field with a length around its parts.
func message(number protowire.Number, parts ...[]byte) []byte {
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), slices.Concat(parts...))
}

func text(number protowire.Number, s string) []byte { return message(number, []byte(s)) }

func varint(number protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), n)
}

func fixed32(number protowire.Number, f float32) []byte {
	return protowire.AppendFixed32(protowire.AppendTag(nil, number, protowire.Fixed32Type), math.Float32bits(f))
}

// The types of tensors, as onnx.proto numbers them.
const (
	float32Type = 1
	stringType  = 8
	int64Type   = 7
	float16Type = 10
	float64Type = 11
)

// free is a dimension without a length.
const free = -1

// value describes an input or output.
func value(name string, kind uint64, dimensions ...int64) []byte {
	places := make([][]byte, len(dimensions))
	for i, d := range dimensions {
		places[i] = message(1, text(2, "batch"))
		if d != free {
			places[i] = message(1, varint(1, uint64(d))) //nolint:gosec // protobuf encodes int64 so
		}
	}
	return slices.Concat(text(1, name), message(2, message(1, varint(1, kind), message(2, places...))))
}

// tensor is one of raw numbers; more are further fields of it.
func tensor(name string, kind uint64, dimensions []uint64, raw []byte, more ...[]byte) []byte {
	var dims []byte
	for _, d := range dimensions {
		dims = append(dims, varint(1, d)...)
	}
	return slices.Concat(dims, varint(2, kind), text(8, name), message(9, raw), slices.Concat(more...))
}

// weights are as many float32 of a value as the dimensions ask for.
func weights(name string, of float32, dimensions ...uint64) []byte {
	count := uint64(1)
	for _, d := range dimensions {
		count *= d
	}
	var raw []byte
	for range count {
		raw = binary.LittleEndian.AppendUint32(raw, math.Float32bits(of))
	}
	return tensor(name, float32Type, dimensions, raw)
}

// wholes are the int64 of a list.
func wholes(name string, numbers ...int64) []byte {
	var raw []byte
	for _, n := range numbers {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(n)) //nolint:gosec // two's complement, as ONNX wants it
	}
	return tensor(name, int64Type, []uint64{uint64(len(numbers))}, raw)
}

// node is one operator; more are further fields of it.
func node(operator string, inputs []string, output string, more ...[]byte) []byte {
	var names []byte
	for _, i := range inputs {
		names = append(names, text(1, i)...)
	}
	return slices.Concat(names, text(2, output), text(4, operator), slices.Concat(more...))
}

func integer(name string, n int64) []byte {
	return message(5, text(1, name), varint(3, uint64(n)), varint(20, 2)) //nolint:gosec // protobuf encodes int64 so
}

// file is an ONNX file in its parts.
type file struct {
	ir      []byte
	imports [][]byte
	nodes   [][]byte
	weights [][]byte
	inputs  [][]byte
	outputs [][]byte
	graph   [][]byte // further fields of the graph
	model   [][]byte // further fields of the model
}

// right is a whole file of two matrix products.
func right() *file {
	return &file{
		ir:      varint(1, 8),
		imports: [][]byte{slices.Concat(text(1, ""), varint(2, 18))},
		nodes:   [][]byte{node("MatMul", []string{"observation", "w"}, "action_scores"), node("MatMul", []string{"observation", "v"}, "state_value")},
		weights: [][]byte{weights("w", 0.5, 25, 4), weights("v", 0.25, 25, 1)},
		inputs:  [][]byte{value("observation", float32Type, free, 25)},
		outputs: [][]byte{value("action_scores", float32Type, free, 4), value("state_value", float32Type, free, 1)},
	}
}

// Right is a file that is taken in.
func Right() []byte { return right().write() }

func (f *file) write() []byte {
	var graph bytes.Buffer
	graph.Write(text(2, "policy"))
	for _, list := range []struct {
		number protowire.Number
		parts  [][]byte
	}{{1, f.nodes}, {5, f.weights}, {11, f.inputs}, {12, f.outputs}} {
		for _, p := range list.parts {
			graph.Write(message(list.number, p))
		}
	}
	graph.Write(slices.Concat(f.graph...))
	whole := slices.Concat(f.ir, message(7, graph.Bytes()))
	for _, i := range f.imports {
		whole = append(whole, message(8, i)...)
	}
	return append(whole, slices.Concat(f.model...)...)
}

// with is the right file with a change.
func with(change func(*file)) []byte {
	f := right()
	change(f)
	return f.write()
}

// before is the right file with operators in front of its own, which read what they give instead of the observation.
func before(of string, extra [][]byte, tensors ...[]byte) []byte {
	return with(func(f *file) {
		f.nodes = append(extra, node("MatMul", []string{of, "w"}, "action_scores"), node("MatMul", []string{of, "v"}, "state_value"))
		f.weights = append(f.weights, tensors...)
	})
}
