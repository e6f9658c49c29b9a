package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"google.golang.org/protobuf/encoding/protowire"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// field encodes a field with a length around its parts.
func field(number protowire.Number, parts ...[]byte) []byte {
	var body []byte
	for _, p := range parts {
		body = append(body, p...)
	}
	return protowire.AppendBytes(protowire.AppendTag(nil, number, protowire.BytesType), body)
}

func varint(number protowire.Number, n uint64) []byte {
	return protowire.AppendVarint(protowire.AppendTag(nil, number, protowire.VarintType), n)
}

func TestAFileIsReadBeforeItIsLoaded(t *testing.T) {
	opset := field(modelOpset, varint(opsetVersion, 18))
	node := func(parts ...[]byte) []byte {
		return append(field(modelGraph, field(graphNode, parts...)), opset...)
	}
	operator := func(name string) []byte { return field(nodeOperator, []byte(name)) }
	attribute := func(number protowire.Number, parts ...[]byte) []byte {
		return node(operator("Constant"), field(nodeAttribute, field(number, parts...)))
	}
	for name, c := range map[string]struct {
		file   []byte
		reason string
	}{
		"an operator that makes gigabytes": {node(operator("ConstantOfShape")), `the operator "ConstantOfShape"; a policy may use Add, Cast,`},
		"a loop":                           {node(operator("Loop")), `the operator "Loop"`},
		"an operator of somebody's":        {node(operator("Gemm"), field(nodeDomain, []byte("com.microsoft"))), `an operator of "com.microsoft"`},
		"operators of somebody's":          {append(field(modelOpset, field(opsetDomain, []byte("com.custom")), varint(opsetVersion, 1)), opset...), `operators of "com.custom"`},
		"weights in another file":          {append(field(modelGraph, field(graphInitializer, varint(tensorLocation, 1))), opset...), "outside of policy.onnx"},
		"a place of weights":               {append(field(modelGraph, field(graphInitializer, field(tensorExternal, field(1, []byte("location"))))), opset...), "outside of policy.onnx"},
		"sparse weights":                   {append(field(modelGraph, field(graphSparse)), opset...), "sparse weights"},
		"a tensor of another file":         {attribute(attributeTensor, varint(tensorLocation, 1)), "outside of policy.onnx"},
		"a graph in an operator":           {attribute(attributeGraph), "a graph inside an operator"},
		"graphs in an operator":            {attribute(attributeGraphs), "a graph inside an operator"},
		"a sparse attribute":               {attribute(attributeSparse), "sparse weights"},
		"functions":                        {append(field(modelFunctions), opset...), "functions or training"},
		"training":                         {append(field(modelTraining), opset...), "functions or training"},
		"no opset":                         {field(modelGraph), "no ONNX file"},
		"nothing":                          {nil, "no ONNX file"},
		"cut short":                        {node(operator("Gemm"))[:5], "no ONNX file"},
	} {
		_, err := readOpset(c.file)
		broken, ok := errors.AsType[*domain.Error](err)
		if !ok || !errors.Is(err, domain.ErrModelBroken) || !strings.Contains(broken.Message, c.reason) {
			t.Errorf("%s: %v, want %q", name, err, c.reason)
		}
	}
	if version, err := readOpset(node(operator("Gemm"))); err != nil || version != 18 {
		t.Errorf("a whole one: %d, %v", version, err)
	}
}

func TestShippedNetworksUseWhatIsAllowed(t *testing.T) {
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

func FuzzReadOpset(f *testing.F) {
	f.Add(rightFile().write())
	f.Fuzz(func(t *testing.T, file []byte) {
		if _, err := readOpset(file); err != nil && !errors.Is(err, domain.ErrModelBroken) {
			t.Errorf("%v is no broken model", err)
		}
	})
}
