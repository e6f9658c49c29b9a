package hostilemodel

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"

	"google.golang.org/protobuf/encoding/protowire"
)

// Case is one file.
type Case struct {
	Name string
	File []byte
	Rule string // that refuses it: "model.walk.sparse"
}

// Walked are files that the walk refuses: none of them reaches ONNX Runtime.
func Walked() []Case {
	whole := Right()
	nan, infinite := float32(math.NaN()), float32(math.Inf(1))
	external := func(entries ...string) []byte {
		t := slices.Concat(varint(1, 25), varint(1, 4), varint(2, float32Type), text(8, "w"), varint(14, 1))
		for i := 0; i+1 < len(entries); i += 2 {
			t = append(t, message(13, text(1, entries[i]), text(2, entries[i+1]))...)
		}
		return t
	}
	initializer := func(t []byte) []byte { return with(func(f *file) { f.weights[0] = t }) }
	graph := func(parts ...[]byte) []byte { return with(func(f *file) { f.graph = parts }) }
	model := func(parts ...[]byte) []byte { return with(func(f *file) { f.model = parts }) }
	attribute := func(operator string, parts ...[]byte) []byte {
		return with(func(f *file) {
			f.nodes = append(f.nodes, node(operator, nil, "extra", message(5, slices.Concat(text(1, "value"), slices.Concat(parts...)))))
		})
	}
	operator := func(name string, inputs ...string) []byte {
		return with(func(f *file) { f.nodes = append(f.nodes, node(name, inputs, "extra")) })
	}
	sparse := func(values []byte) []byte {
		return slices.Concat(message(1, values), message(2, wholes("i", 0)), varint(3, 100))
	}
	nested := func(depth int) []byte {
		inside := text(2, "innermost")
		for range depth {
			inside = message(1, text(2, "x"), text(4, "If"), message(5, text(1, "then_branch"), message(6, inside)))
		}
		return inside
	}
	sequences := func(depth int) []byte {
		inside := message(1, varint(1, float32Type))
		for range depth {
			inside = message(4, message(1, inside))
		}
		return inside
	}
	random := make([]byte, 4000)
	source := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same bytes each time
	for i := range random {
		random[i] = byte(source.Uint32())
	}
	body := message(1, text(1, "c"), text(2, "c2"), text(4, "Identity")) // of a loop that never ends
	const w = "model.walk."
	return []Case{
		{"weights in another file", initializer(external("location", "weights.bin")), w + "external_data"},
		{"weights somewhere, it does not say where", initializer(external()), w + "external_data"},
		{"weights above the folder", initializer(external("location", "../../../../etc/passwd")), w + "external_data"},
		{"weights at an absolute path", initializer(external("location", "/etc/passwd", "offset", "0", "length", "100")), w + "external_data"},
		{"weights in the server's environment", initializer(external("location", "/proc/self/environ")), w + "external_data"},
		{"a place of weights beside the weights", initializer(append(weights("w", 1, 25, 4), message(13, text(1, "location"), text(2, "x"))...)), w + "external_data"},
		{"sparse weights", graph(message(15, sparse(weights("s", 1, 1)))), w + "sparse"},
		{"sparse weights in another file", graph(message(15, sparse(external("location", "x")))), w + "sparse"},
		{"empty sparse weights", graph(message(15)), w + "sparse"},
		{"a constant in another file", attribute("Constant", message(5, external("location", "x"))), w + "external_attribute"},
		{"a list of constants in another file", attribute("Constant", message(10, external("location", "x"))), w + "external_attribute"},
		{"a place of a constant", attribute("Constant", message(5, append(weights("c", 1, 1), message(13)...))), w + "external_attribute"},
		{"a sparse constant", attribute("Constant", message(22, sparse(external("location", "x")))), w + "sparse_attribute"},
		{"a list of sparse constants", attribute("Constant", message(23, sparse(weights("s", 1, 1)))), w + "sparse_attribute"},
		{"weights in another file in a branch", attribute("If", message(6, message(5, external("location", "x")))), w + "subgraph"},
		{"a list of graphs", attribute("If", message(11, text(2, "g"))), w + "subgraph"},
		{"an endless loop", attribute("Loop", message(6, body)), w + "subgraph"},
		{"a thousand graphs in each other", attribute("If", message(6, nested(1000))), w + "subgraph"},
		{"training information", model(message(20, message(1, text(2, "g")))), w + "training"},
		{"training information with weights in another file", model(message(20, message(1, message(5, external("location", "x"))))), w + "training"},
		{"a function", model(message(25, text(1, "F"))), w + "functions"},
		{"a function with a constant in another file", model(message(25, text(1, "F"), message(7, text(4, "Constant"), message(5, message(5, external("location", "x")))))), w + "functions"},
		{"operators of somebody's", with(func(f *file) { f.imports[0] = slices.Concat(text(1, "com.custom"), varint(2, 1)) }), w + "custom_domain"},
		{"operators of machine learning", with(func(f *file) { f.imports = append(f.imports, slices.Concat(text(1, "ai.onnx.ml"), varint(2, 3))) }), w + "custom_domain"},
		{"two imports of ONNX", with(func(f *file) { f.imports = append(f.imports, varint(2, 18)) }), w + "custom_domain"},
		{"an operator of Microsoft's", with(func(f *file) {
			f.nodes = append(f.nodes, node("FusedGemm", []string{"observation", "w"}, "extra", text(7, "com.microsoft")))
		}), w + "custom_operator"},
		{"268,435,456 numbers of a hundred bytes", with(func(f *file) {
			f.weights = append(f.weights, wholes("shape", 1<<28))
			f.nodes = append(f.nodes, node("ConstantOfShape", []string{"shape"}, "extra"))
		}), w + "operator"},
		{"a loop without a body", operator("Loop"), w + "operator"},
		{"a branch without branches", operator("If", "observation"), w + "operator"},
		{"a scan", operator("Scan", "observation"), w + "operator"},
		{"an expansion", operator("Expand", "observation"), w + "operator"},
		{"a tiling", operator("Tile", "observation"), w + "operator"},
		{"a range", operator("Range"), w + "operator"},
		{"a padding", operator("Pad", "observation"), w + "operator"},
		{"a resizing", operator("Resize", "observation"), w + "operator"},
		{"random numbers", operator("RandomNormal"), w + "operator"},
		{"a decoder of pictures", operator("ImageDecoder", "observation"), w + "operator"},
		{"an operator that ONNX does not know", operator("Evil", "observation"), w + "operator"},
		{"an operator without a name", operator("", "observation"), w + "operator_missing"},
		{"200,000 operators", with(func(f *file) { f.nodes = many(200_000) }), w + "nodes"},
		{"no operator", with(func(f *file) { f.nodes = nil }), w + "nodes"},
		{"an operator without an output", with(func(f *file) { f.nodes = append(f.nodes, slices.Concat(text(1, "observation"), text(4, "Relu"))) }), w + "values"},
		{"an operator with a thousand inputs", operator("Concat", slices.Repeat([]string{"observation"}, 1000)...), w + "values"},
		{"types inside types", graph(message(13, text(1, "x"), message(2, sequences(1000)))), w + "value_type"},
		{"NaN among the weights", initializer(weights("w", nan, 25, 4)), w + "not_finite"},
		{"infinity among the weights", initializer(weights("w", infinite, 25, 4)), w + "not_finite"},
		{"minus infinity among the weights", initializer(weights("w", -infinite, 25, 4)), w + "not_finite"},
		{"NaN in another place for weights", initializer(slices.Concat(varint(1, 1), varint(2, float32Type), text(8, "w"), fixed32(4, nan))), w + "not_finite"},
		{"NaN as an attribute", attribute("Constant", fixed32(2, nan)), w + "not_finite"},
		{"infinity in a list of attributes", attribute("Constant", fixed32(7, 1), fixed32(7, infinite)), w + "not_finite"},
		{"NaN in a constant", attribute("Constant", message(5, weights("c", nan, 1))), w + "not_finite"},
		{"an ancient IR version", with(func(f *file) { f.ir = varint(1, 3) }), w + "ir_version"},
		{"an IR version to come", with(func(f *file) { f.ir = varint(1, 99) }), w + "ir_version"},
		{"no IR version", with(func(f *file) { f.ir = nil }), w + "ir_version"},
		{"opset 99", with(func(f *file) { f.imports[0] = varint(2, 99) }), w + "opset"},
		{"opset 1", with(func(f *file) { f.imports[0] = varint(2, 1) }), w + "opset"},
		{"no opset", with(func(f *file) { f.imports = nil }), w + "opset"},
		{"a negative opset", with(func(f *file) { f.imports[0] = varint(2, math.MaxUint64) }), w + "opset"},
		{"no graph", slices.Concat(varint(1, 8), message(8, varint(2, 18))), w + "no_graph"},
		{"another input", with(func(f *file) {
			f.inputs[0] = value("view", float32Type, free, 25)
			f.nodes = [][]byte{node("MatMul", []string{"view", "w"}, "action_scores"), node("MatMul", []string{"view", "v"}, "state_value")}
		}), w + "input_name"},
		{"no input", with(func(f *file) {
			f.inputs = nil
			f.nodes = [][]byte{node("Identity", []string{"w"}, "action_scores"), node("Identity", []string{"v"}, "state_value")}
		}), w + "input_name"},
		{"a second input", with(func(f *file) { f.inputs = append(f.inputs, value("hidden", float32Type, free, 25)) }), w + "input_name"},
		{"the input twice", with(func(f *file) { f.inputs = append(f.inputs, f.inputs[0]) }), w + "name_twice"},
		{"an input of doubles", with(func(f *file) { f.inputs[0] = value("observation", float64Type, free, 25) }), w + "input_type"},
		{"24 observed cells", with(func(f *file) { f.inputs[0] = value("observation", float32Type, free, 24) }), w + "input_shape"},
		{"a frozen batch", with(func(f *file) { f.inputs[0] = value("observation", float32Type, 1, 25) }), w + "input_shape"},
		{"a picture as input", with(func(f *file) { f.inputs[0] = value("observation", float32Type, free, 5, 5) }), w + "input_shape"},
		{"an input without a shape", with(func(f *file) {
			f.inputs[0] = slices.Concat(text(1, "observation"), message(2, message(1, varint(1, float32Type))))
		}), w + "input_shape"},
		{"another output", with(func(f *file) { f.outputs[0] = value("scores", float32Type, free, 4) }), w + "output_name"},
		{"a missing output", with(func(f *file) { f.outputs = f.outputs[:1] }), w + "output_name"},
		{"a third output", with(func(f *file) { f.outputs = append(f.outputs, value("third", float32Type, free, 1)) }), w + "output_name"},
		{"an output twice", with(func(f *file) { f.outputs = append(f.outputs, f.outputs[0]) }), w + "name_twice"},
		{"an output of halves", with(func(f *file) { f.outputs[0] = value("action_scores", float16Type, free, 4) }), w + "output_type"},
		{"five scores", with(func(f *file) { f.outputs[0] = value("action_scores", float32Type, free, 5) }), w + "scores_shape"},
		{"two state values", with(func(f *file) { f.outputs[1] = value("state_value", float32Type, free, 2) }), w + "value_shape"},
		{"an output that nothing computes", with(func(f *file) { f.nodes = f.nodes[:1] }), w + "output_unknown"},
		{"half of a file", whole[:len(whole)/2], w + "cut"},
		{"a file without its last byte", whole[:len(whole)-1], w + "cut"},
		{"a byte behind the end", append(bytes.Clone(whole), 0xff), w + "cut"},
		{"zeros behind the end", append(bytes.Clone(whole), make([]byte, 64)...), w + "cut"},
		{"another file behind the end", append(bytes.Clone(whole), text(99, "PK\x03\x04")...), w + "unknown_field"},
		{"zeros", make([]byte, 500), w + "cut"},
		{"text", []byte("no network at all, but bytes that go on for a while"), w + "unknown_field"},
		{"random bytes", random, ""},
		{"a graph that is a number", slices.Concat(varint(1, 8), varint(7, 5)), w + "wire_type"},
		{"an IR version that is text", with(func(f *file) { f.ir = text(1, "8") }), w + "wire_type"},
		{"a group", append(bytes.Clone(whole), protowire.AppendTag(nil, 5, protowire.StartGroupType)...), w + "wire_type"},
		{"a number that does not end", slices.Concat(bytes.Clone(whole), []byte{0x28}, bytes.Repeat([]byte{0xff}, 11)), w + "cut"},
		{"a length beyond the end", slices.Concat(varint(1, 8), protowire.AppendVarint([]byte{0x3a}, 1<<62)), w + "cut"},
		{"two graphs", append(bytes.Clone(whole), message(7, text(2, "second"))...), w + "field_twice"},
		{"two weights of one name", with(func(f *file) { f.weights = append(f.weights, weights("w", 1, 1)) }), w + "name_twice"},
		{"weights named like the input", with(func(f *file) { f.weights = append(f.weights, weights("observation", 1, 1)) }), w + "name_twice"},
		{"weights without a name", with(func(f *file) { f.weights = append(f.weights, weights("", 1, 1)) }), w + "no_name"},
		{"two operators that give one value", with(func(f *file) { f.nodes = append(f.nodes, f.nodes[0]) }), w + "name_twice"},
		{"an attribute twice", with(func(f *file) {
			f.nodes = append(f.nodes, node("Flatten", []string{"observation"}, "extra", integer("axis", 1), integer("axis", 0)))
		}), w + "name_twice"},
		{"an operator that reads itself", with(func(f *file) { f.nodes = append(f.nodes, node("Relu", []string{"extra"}, "extra")) }), w + "unknown_name"},
		{"an operator that reads what comes later", with(func(f *file) {
			slices.Reverse(f.nodes)
			f.nodes[0] = node("Relu", []string{"action_scores"}, "state_value")
		}), w + "unknown_name"},
		{"a thousand tensors", with(func(f *file) {
			for i := range 1000 {
				f.weights = append(f.weights, weights(fmt.Sprint("t", i), 1, 1))
			}
		}), w + "tensors"},
		{"a dimension of 2^40", initializer(tensor("w", float32Type, []uint64{1 << 40}, nil)), w + "dimensions"},
		{"a negative dimension", initializer(tensor("w", float32Type, []uint64{math.MaxUint64}, nil)), w + "dimensions"},
		{"twenty dimensions", initializer(tensor("w", float32Type, slices.Repeat([]uint64{1}, 20), make([]byte, 4))), w + "dimensions"},
		{"2^32 weights that are not there", initializer(tensor("w", float32Type, []uint64{1 << 16, 1 << 16}, nil)), w + "weights"},
		{"fewer weights than places", initializer(tensor("w", float32Type, []uint64{25, 4}, make([]byte, 396))), w + "tensor_size"},
		{"more weights than places", initializer(tensor("w", float32Type, []uint64{25, 4}, make([]byte, 404))), w + "tensor_size"},
		{"weights in two places", initializer(tensor("w", float32Type, []uint64{1}, make([]byte, 4), fixed32(4, 1))), w + "tensor_size"},
		{"words for weights", initializer(tensor("w", stringType, []uint64{1}, nil, text(6, "word"))), w + "tensor_type"},
		{"doubles for weights", initializer(tensor("w", float64Type, []uint64{25, 4}, make([]byte, 800))), w + "tensor_type"},
		{"weights of no type", initializer(tensor("w", 0, []uint64{1}, make([]byte, 4))), w + "tensor_type"},
		{"a segment of weights", initializer(append(weights("w", 1, 25, 4), message(3, varint(1, 0))...)), w + "tensor_type"},
		{"a name that is no text", with(func(f *file) { f.weights = append(f.weights, weights("\xff\xfe", 1, 1)) }), w + "text"},
		{"a name of a megabyte", with(func(f *file) { f.weights = append(f.weights, weights(string(bytes.Repeat([]byte("x"), 1<<20)), 1, 1)) }), w + "text"},
		{"a padding of 2^40 cells", with(func(f *file) {
			f.nodes = append(f.nodes, node("MaxPool", []string{"observation"}, "extra", message(5, text(1, "pads"), varint(8, 1<<40), varint(20, 7))))
		}), w + "attribute"},
		{"an attribute without a name", with(func(f *file) {
			f.nodes = append(f.nodes, node("Relu", []string{"observation"}, "extra", message(5, varint(3, 1))))
		}), w + "attribute"},
		{"an attribute that is a type", attribute("Constant", message(14, message(1))), w + "attribute_type"},
		{"an attribute that refers to a function's", attribute("Constant", text(21, "alpha")), w + "attribute_type"},
		{"a thousand notes", with(func(f *file) {
			for range 1000 {
				f.model = append(f.model, message(14, text(1, "k"), text(2, "v")))
			}
		}), w + "notes"},
		{"quantized weights", graph(message(14, text(1, "w"))), w + "quantization"},
		{"a plan for several devices", model(message(26, text(1, "d"))), w + "devices"},
		{"an overloaded operator", with(func(f *file) {
			f.nodes = append(f.nodes, node("Relu", []string{"observation"}, "extra", text(8, "mine")))
		}), w + "devices"},
	}
}

// many are operators of as few bytes as can be.
func many(count int) [][]byte {
	nodes := make([][]byte, count)
	for i := range nodes {
		nodes[i] = slices.Concat(text(2, strconv.FormatInt(36+int64(i), 36)), text(4, "Abs"))
	}
	return nodes
}

// Tried are files that the walk lets through and that a trial refuses.
func Tried() []Case {
	const t = "model.trial."
	chain := func(operator string, length int, more ...[]byte) [][]byte {
		nodes := make([][]byte, length)
		of := "observation"
		for i := range nodes {
			to := fmt.Sprint("c", i)
			inputs := []string{of}
			switch operator {
			case "Concat", "Add":
				inputs = []string{of, of}
			case "Gemm":
				inputs = []string{of, "square"}
			}
			nodes[i], of = node(operator, inputs, to, more...), to
		}
		return nodes
	}
	doubled := append(chain("Concat", 24, integer("axis", 1)), node("ReduceMean", []string{"c23", "one"}, "mean", integer("keepdims", 1)), node("Mul", []string{"observation", "mean"}, "back"))
	squares := slices.Concat([][]byte{node("MatMul", []string{"observation", "in"}, "c")}, chain("Gemm", 400)[1:], [][]byte{node("MatMul", []string{"c399", "out"}, "back")})
	squares[1] = node("Gemm", []string{"c", "square"}, "c1")
	bomb := [][]byte{
		node("Add", []string{"tall", "wide"}, "large"), node("ReduceMean", []string{"large", "both"}, "mean", integer("keepdims", 0)), node("Mul", []string{"observation", "mean"}, "back"),
	}
	return []Case{
		{"weights of another width", with(func(f *file) { f.weights[0] = weights("w", 1, 24, 4) }), t + "load"},
		{"outputs of another width than declared", with(func(f *file) { f.weights[0] = weights("w", 1, 25, 5) }), t + "shape"},
		{"a product of whole numbers and others", before("back", [][]byte{node("MatMul", []string{"observation", "ints"}, "back")}, wholes("ints", 1, 2, 3)), t + "load"},
		{"an attribute that the operator does not have", with(func(f *file) {
			f.nodes = append(f.nodes, node("Relu", []string{"observation"}, "extra", integer("evil", 1)))
		}), t + "load"},
		{"an operator without its inputs", with(func(f *file) { f.nodes = append(f.nodes, node("Gemm", nil, "extra")) }), t + "load"},
		{"3,600,000,000 sums of 120,000 numbers", before("back", bomb, weights("tall", 1, 60_000, 1), weights("wide", 1, 1, 60_000), wholes("both", 0, 1)), t + "memory"},
		{"a value that doubles 24 times", before("back", doubled, wholes("one", 1)), t + "memory"},
		{"400 products of 800 × 800", before("back", squares, weights("in", 0.001, 25, 800), weights("square", 0.001, 800, 800), weights("out", 0.001, 800, 25)), t + "time"},
		{"zero by zero", before("back", [][]byte{node("Sub", []string{"observation", "observation"}, "zero"), node("Div", []string{"zero", "zero"}, "back")}), t + "not_finite"},
		{"the logarithm of less than zero", before("back", [][]byte{node("Log", []string{"observation"}, "back")}), t + "not_finite"},
		{"an overflow", before("back", [][]byte{node("Mul", []string{"observation", "huge"}, "x"), node("Mul", []string{"x", "huge"}, "back")}, weights("huge", 1e30, 1)), t + "not_finite"},
		{"a shape for one row only", before("back", [][]byte{node("Reshape", []string{"observation", "one"}, "row"), node("Concat", []string{"row"}, "back", integer("axis", 0))}, wholes("one", 1, 25)), t + "shape"},
		{"an index beyond the row", before("back", [][]byte{node("Gather", []string{"observation", "far"}, "cell", integer("axis", 1)), node("Mul", []string{"observation", "cell"}, "back")}, wholes("far", 1_000_000)), t + "run"},
	}
}

// Mutants are copies of a file that are damaged in one of several ways, always the same ones for a seed.
func Mutants(of []byte, count int, seed uint64) func(yield func([]byte) bool) {
	return func(yield func([]byte) bool) {
		source := rand.New(rand.NewPCG(seed, 7)) //nolint:gosec // the same ones each time
		at := func(n int) int { return source.IntN(max(n, 1)) }
		for i := range count {
			m := bytes.Clone(of)
			switch i % 6 {
			case 0: // a bit
				m[at(len(m))] ^= 1 << at(8)
			case 1: // a byte
				m[at(len(m))] = byte(source.Uint32())
			case 2: // cut
				m = m[:at(len(m))]
			case 3: // a piece is missing
				from := at(len(m))
				m = slices.Delete(m, from, min(len(m), from+1+at(64)))
			case 4: // a piece stands twice
				from := at(len(m))
				m = slices.Insert(m, from, bytes.Clone(m[from:min(len(m), from+1+at(64))])...)
			default: // a length or number becomes large
				from := at(max(1, len(m)-8))
				binary.LittleEndian.PutUint64(m[from:], source.Uint64())
			}
			if !yield(m) {
				return
			}
		}
	}
}
