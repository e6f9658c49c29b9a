package rpc

import (
	"fmt"
	"math"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
)

// ProtoCodec writes protobuf as Connect's own codec does, byte for byte, but a message of steps, which is nearly all that the server
// sends, without reflection: that took a third of a live step's CPU time outside of the network and the kernel.
type ProtoCodec struct{}

// Name returns the name in content types.
func (ProtoCodec) Name() string { return "proto" }

// Marshal returns the message's bytes.
func (c ProtoCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend appends the message's bytes, so that connect-go can reuse its buffers.
func (ProtoCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	if response, ok := message.(*inferencev1.RunEpisodeResponse); ok {
		if steps, ok := response.GetEvent().(*inferencev1.RunEpisodeResponse_Steps); ok {
			if written, ok := appendSteps(to, steps.Steps.GetSteps()); ok {
				return written, nil
			}
		}
	}
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no protobuf message", message)
	}
	return proto.MarshalOptions{}.MarshalAppend(to, m)
}

// MarshalStable returns bytes that are always the same for the same message, as Connect's GET requests want it.
func (ProtoCodec) MarshalStable(message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no protobuf message", message)
	}
	return proto.MarshalOptions{Deterministic: true}.Marshal(m)
}

// IsBinary says that the output is no text.
func (ProtoCodec) IsBinary() bool { return true }

// Unmarshal reads the bytes into the message.
func (ProtoCodec) Unmarshal(from []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no protobuf message", message)
	}
	return proto.Unmarshal(from, m)
}

var _ connect.Codec = ProtoCodec{}

// Field numbers of api/rlmaze/inference/v1; a test compares all of them with protobuf's own encoding.
const (
	responseSteps = 2
	episodeSteps  = 1

	stepIndex, stepPosition, stepAction, stepHitWall, stepReachedGoal = 1, 2, 3, 4, 5
	stepReward, stepCumulative, stepScores, stepServerTS              = 6, 7, 8, 9
	cellRow, cellCol                                                  = 1, 2
	scoresKind, scoresValues, scoresProbabilities, scoresStateValue   = 1, 2, 3, 4
	timestampSeconds, timestampNanos                                  = 1, 2
)

// oneByteLength is the largest length that a varint of one byte holds. A step without a policy map has at most 103 bytes.
const oneByteLength = 127

// appendSteps appends a RunEpisodeResponse of these steps. It reports false, and what it appended is void, for steps that it does not
// write: those with a policy map, or of an unusual length.
func appendSteps(to []byte, steps []*inferencev1.Step) ([]byte, bool) {
	// The outer length is known at last; one byte is kept for it and the rest moved up when it needs more.
	to = protowire.AppendTag(to, responseSteps, protowire.BytesType)
	begin := len(to) + 1
	to = append(to, 0)
	for _, step := range steps {
		if step.GetPolicyMap() != nil {
			return nil, false
		}
		to = protowire.AppendTag(to, episodeSteps, protowire.BytesType)
		stepBegin := len(to) + 1
		to = appendStep(append(to, 0), step)
		length := len(to) - stepBegin
		if length > oneByteLength {
			return nil, false
		}
		to[stepBegin-1] = byte(length)
	}
	length := len(to) - begin
	if more := protowire.SizeVarint(uint64(length)) - 1; more > 0 {
		to = append(to, make([]byte, more)...)
		copy(to[begin+more:], to[begin:begin+length])
	}
	protowire.AppendVarint(to[:begin-1], uint64(length))
	return to, true
}

func appendStep(to []byte, step *inferencev1.Step) []byte {
	to = appendNumber(to, stepIndex, int64(step.GetIndex()))
	if position := step.GetPosition(); position != nil {
		to = protowire.AppendTag(to, stepPosition, protowire.BytesType)
		begin := len(to) + 1
		to = appendNumber(append(to, 0), cellRow, int64(position.GetRow()))
		to = appendNumber(to, cellCol, int64(position.GetCol()))
		to[begin-1] = byte(len(to) - begin) // at most two varints of ten bytes
	}
	to = appendNumber(to, stepAction, int64(step.GetAction()))
	to = appendFact(to, stepHitWall, step.GetHitWall())
	to = appendFact(to, stepReachedGoal, step.GetReachedGoal())
	to = appendDouble(to, stepReward, step.GetReward())
	to = appendDouble(to, stepCumulative, step.GetCumulativeReward())
	if scores := step.GetScores(); scores != nil {
		to = protowire.AppendTag(to, stepScores, protowire.BytesType)
		begin := len(to) + 1
		to = appendNumber(append(to, 0), scoresKind, int64(scores.GetKind()))
		to = appendFloats(to, scoresValues, scores.GetValues())
		to = appendFloats(to, scoresProbabilities, scores.GetProbabilities())
		if bits := math.Float32bits(scores.GetStateValue()); bits != 0 {
			to = protowire.AppendFixed32(protowire.AppendTag(to, scoresStateValue, protowire.Fixed32Type), bits)
		}
		length := len(to) - begin
		if length > oneByteLength {
			return append(to, make([]byte, oneByteLength+1)...) // too long for the step as well, which is refused then
		}
		to[begin-1] = byte(length)
	}
	if ts := step.GetServerTs(); ts != nil {
		to = protowire.AppendTag(to, stepServerTS, protowire.BytesType)
		begin := len(to) + 1
		to = appendNumber(append(to, 0), timestampSeconds, ts.GetSeconds())
		to = appendNumber(to, timestampNanos, int64(ts.GetNanos()))
		to[begin-1] = byte(len(to) - begin)
	}
	return to
}

// appendNumber appends a varint field; like all of these, it leaves out the default.
func appendNumber(to []byte, field protowire.Number, value int64) []byte {
	if value == 0 {
		return to
	}
	return protowire.AppendVarint(protowire.AppendTag(to, field, protowire.VarintType), uint64(value))
}

func appendFact(to []byte, field protowire.Number, value bool) []byte {
	if !value {
		return to
	}
	return append(protowire.AppendTag(to, field, protowire.VarintType), 1)
}

func appendDouble(to []byte, field protowire.Number, value float64) []byte {
	bits := math.Float64bits(value)
	if bits == 0 {
		return to
	}
	return protowire.AppendFixed64(protowire.AppendTag(to, field, protowire.Fixed64Type), bits)
}

func appendFloats(to []byte, field protowire.Number, values []float32) []byte {
	if len(values) == 0 {
		return to
	}
	to = protowire.AppendTag(to, field, protowire.BytesType)
	to = protowire.AppendVarint(to, uint64(4*len(values)))
	for _, value := range values {
		to = protowire.AppendFixed32(to, math.Float32bits(value))
	}
	return to
}
