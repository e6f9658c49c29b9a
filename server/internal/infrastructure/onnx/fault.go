package onnx

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// The limits of a file. Policies of this project have ten to thirteen nodes and forty thousand weights.
const (
	largestFile      = 3 << 20 // bytes; what RegisterModel takes
	longestText      = 1024    // bytes of a name or note
	mostNodes        = 512
	mostTensors      = 512     // weights with a name, and constants
	mostWeights      = 750_000 // numbers in all of them
	mostDimensions   = 8       // of one tensor
	longestDimension = 1 << 16
	mostValues       = 64      // inputs or outputs of one operator
	mostAttributes   = 32      // of one operator
	mostNumbers      = 4096    // in one attribute
	largestNumber    = 1 << 16 // an attribute's whole number; kernels and paddings make memory of it
	mostNotes        = 64      // pieces of metadata

	oldestIR, newestIR       = 7, 10
	oldestOpset, newestOpset = 13, 21
)

// fault is one thing that can be wrong with a file. Its words are ours alone: no byte of the file is in them.
type fault struct {
	rule    string // short and stable; "model.walk." stands before it for clients
	what    string // "keeps weights in another file"
	allowed string
}

// refuse is the broken model of a fault.
func (f *fault) refuse() error {
	return domain.BrokenModel("its policy.onnx "+f.what+"; "+f.allowed, &domain.NetworkFault{Rule: "model.walk." + f.rule})
}

var (
	faultEmpty        = &fault{"empty", "can't be loaded: it is empty", "an ONNX file is needed, as the export writes it"}
	faultCut          = &fault{"cut", "can't be loaded: it is no ONNX file, or cut short", "a whole file is needed, as the export writes it"}
	faultBytes        = &fault{"bytes", "is too large", fmt.Sprintf("at most %d bytes are allowed", largestFile)}
	faultUnknownField = &fault{"unknown_field", "can't be loaded: it has a field that no policy has, or bytes after its end", "the fields that the export writes are allowed"}
	faultWireType     = &fault{"wire_type", "can't be loaded: a field of it is encoded as another type than ONNX says", "the encoding of onnx.proto is needed"}
	faultFieldTwice   = &fault{"field_twice", "has a field twice that may stand once", "each such field may stand once"}
	faultText         = &fault{"text", "has a name or a note that is too long or no text", fmt.Sprintf("UTF-8 of at most %d bytes is allowed", longestText)}

	faultIR          = &fault{"ir_version", "has an IR version that is not allowed", fmt.Sprintf("IR versions %d to %d are", oldestIR, newestIR)}
	faultOpset       = &fault{"opset", "asks for a version of ONNX's operators that is not allowed, or for none", fmt.Sprintf("opsets %d to %d are", oldestOpset, newestOpset)}
	faultOpsetDomain = &fault{"custom_domain", "imports operators that are not ONNX's own", "one import, of ONNX itself, is allowed"}
	faultNodeDomain  = &fault{"custom_operator", "uses an operator that is not ONNX's own", "those of ONNX itself are allowed"}
	faultFunctions   = &fault{"functions", "defines functions of its own", "a policy needs none"}
	faultTraining    = &fault{"training", "holds training information", "the network alone is allowed; export it for inference"}
	faultNoGraph     = &fault{"no_graph", "has no graph", "one is needed"}

	faultExternal          = &fault{"external_data", "keeps weights in another file", "weights must lie in policy.onnx (external_data=False)"}
	faultExternalAttribute = &fault{"external_attribute", "keeps the tensor of an operator in another file", "weights must lie in policy.onnx (external_data=False)"}
	faultSparse            = &fault{"sparse", "has sparse weights", "dense ones are allowed"}
	faultSparseAttribute   = &fault{"sparse_attribute", "has an operator with sparse weights", "dense ones are allowed"}
	faultSubgraph          = &fault{"subgraph", "has a graph inside an operator", "a policy needs none"}
	faultTypeAttribute     = &fault{"attribute_type", "has an operator with a type or a reference as its attribute", "numbers, texts and tensors are allowed"}
	faultAttribute         = &fault{"attribute", "has an operator whose attributes are too many, too large or no attributes", fmt.Sprintf("at most %d, of whole numbers between -%d and %d, are allowed", mostAttributes, largestNumber, largestNumber)}
	faultQuantization      = &fault{"quantization", "is annotated for quantization", "float32 weights are allowed"}
	faultDevices           = &fault{"devices", "is laid out for several devices or overloads an operator", "a network for one processor is allowed"}

	faultNodes         = &fault{"nodes", "has too many operators, or none", fmt.Sprintf("1 to %d are allowed", mostNodes)}
	faultTensors       = &fault{"tensors", "has too many tensors", fmt.Sprintf("at most %d are allowed", mostTensors)}
	faultWeights       = &fault{"weights", "has too many weights", fmt.Sprintf("at most %d numbers are allowed", mostWeights)}
	faultDimensions    = &fault{"dimensions", "has a tensor with too many or too long dimensions", fmt.Sprintf("at most %d of 0 to %d each are allowed", mostDimensions, longestDimension)}
	faultValues        = &fault{"values", "has an operator with too many inputs or outputs, or no output", fmt.Sprintf("1 to %d are allowed", mostValues)}
	faultNotes         = &fault{"notes", "has too much metadata", fmt.Sprintf("at most %d entries are allowed", mostNotes)}
	faultTensorType    = &fault{"tensor_type", "has weights of a type that is not allowed", "float32, int32, int64 and bool are"}
	faultTensorSize    = &fault{"tensor_size", "has a tensor whose numbers don't fit its dimensions", "one number for each place is needed, raw or of its own type"}
	faultNotFinite     = &fault{"not_finite", "has a weight that is not finite", "no NaN and no infinity is allowed"}
	faultNoName        = &fault{"no_name", "has a tensor, an input or an output without a name", "each needs one"}
	faultNameTwice     = &fault{"name_twice", "gives two values the same name", "each name may stand for one value"}
	faultUnknownName   = &fault{"unknown_name", "has an operator that reads what nothing before it gives", "operators must stand in the order in which they run"}
	faultOperatorless  = &fault{"operator_missing", "has an operator without a name", "a policy may use " + allowedOperators}
	faultNewOperator   = &fault{"operator", "uses an operator that is not allowed", "a policy may use " + allowedOperators}
	faultInputName     = &fault{"input_name", "has another input than observation", policyShape}
	faultInputType     = &fault{"input_type", "has an input that is no float32 tensor", policyShape}
	faultInputShape    = &fault{"input_shape", "has an input of another shape than [batch, 25], or a frozen batch", policyShape}
	faultOutputName    = &fault{"output_name", "has other outputs than action_scores and state_value", policyShape}
	faultOutputType    = &fault{"output_type", "has an output that is no float32 tensor", policyShape}
	faultScoresShape   = &fault{"scores_shape", "has action_scores of another shape than [batch, 4], or a frozen batch", policyShape}
	faultValueShape    = &fault{"value_shape", "has state_value of another shape than [batch, 1], or a frozen batch", policyShape}
	faultInnerType     = &fault{"value_type", "has a value that is no tensor", "tensors are allowed"}
	faultOutputUnknown = &fault{"output_unknown", "computes no action_scores or no state_value", policyShape}
)

// policyShape is what a network must look like.
const policyShape = "a policy has the input observation [batch, 25] and the outputs action_scores [batch, 4] and state_value [batch, 1], all float32"

// policyOperators are what policies are made of. The first row is what the exporter of ml/ writes for PPO and DQN; the second is what other
// networks of dense layers need, in the activations that Stable-Baselines3 can be given; the third is convolutions and the fourth recurrence (GRU),
// as PyTorch exports them. What makes large tensors of small files (ConstantOfShape, Expand, Tile, Range, Pad, Resize), what runs graphs (If,
// Loop, Scan) and what draws random numbers is not among them.
var policyOperators = set(
	"Add Gather Gemm ReduceMax ReduceMean Relu Reshape Tanh",
	"Abs Cast Clip Concat Constant Div Elu Exp Flatten HardSigmoid HardSwish Identity LayerNormalization LeakyRelu Log LogSoftmax MatMul Max Mean Min Mul Neg Pow PRelu Reciprocal "+
		"ReduceMin ReduceSum Selu Shape Sigmoid Slice Softmax Softplus Softsign Split Sqrt Squeeze Sub Sum Transpose Unsqueeze",
	"AveragePool BatchNormalization Conv GlobalAveragePool MaxPool",
	"GRU",
)

// otherOperators are well-known ones that a file may hold and no policy needs. They stand here for their names, so that a refusal can say one
// without a byte of the file.
var otherOperators = set("And ArgMax ArgMin Attention Bernoulli Ceil CenterCropPad Compress ConstantOfShape ConvInteger ConvTranspose Cos CumSum DeformConv DequantizeLinear Det Dropout " +
	"DynamicQuantizeLinear Einsum Equal Expand EyeLike Floor GatherElements GatherND Gelu Greater GridSample Hardmax If ImageDecoder InstanceNormalization IsInf IsNaN LSTM Less Loop " +
	"MatMulInteger Mish Mod Multinomial NonMaxSuppression NonZero Not OneHot Optional Or Pad QLinearConv QLinearMatMul QuantizeLinear RNN RandomNormal RandomNormalLike RandomUniform " +
	"RandomUniformLike Range Resize RoiAlign Round STFT Scan ScatterElements ScatterND SequenceAt SequenceConstruct SequenceMap Sign Sin Size StringConcat TfIdfVectorizer Tile TopK Trilu " +
	"Unique Upsample Where Xor")

var (
	allowedOperators = strings.Join(slices.Sorted(maps.Keys(policyOperators)), ", ")
	faultOperators   = operatorFaults()
)

func set(rows ...string) map[string]bool {
	names := map[string]bool{}
	for _, row := range rows {
		for _, name := range strings.Fields(row) {
			names[name] = true
		}
	}
	return names
}

// operatorFaults are the refusals that say the operator's name.
func operatorFaults() map[string]*fault {
	faults := map[string]*fault{}
	for name := range otherOperators {
		faults[name] = &fault{"operator", "uses the operator " + name, "a policy may use " + allowedOperators}
	}
	return faults
}
