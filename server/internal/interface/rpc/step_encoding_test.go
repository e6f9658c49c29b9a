package rpc

import (
	"bytes"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"google.golang.org/protobuf/encoding/protowire"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/timestamppb"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	mazev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/maze/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/usecase"
)

// randomStep leaves out and exaggerates now and then what a step of ours always has.
func randomStep(r *rand.Rand) *inferencev1.Step {
	numbers := []float64{0, math.Copysign(0, -1), -0.01, -0.06, 0.99, math.Inf(1), math.NaN(), r.NormFloat64()}
	number := func() float64 { return numbers[r.IntN(len(numbers))] }
	integers := []int32{0, 1, 127, 128, 20_000, math.MaxInt32, -1, r.Int32N(100)}
	integer := func() int32 { return integers[r.IntN(len(integers))] }
	floats := func() (f []float32) {
		for range []int{0, 4, 4, 4, 40}[r.IntN(5)] {
			f = append(f, float32(number()))
		}
		return f
	}
	step := &inferencev1.Step{
		Index: integer(), Action: inferencev1.Action(r.IntN(5)), HitWall: r.IntN(2) == 0, ReachedGoal: r.IntN(2) == 0,
		Reward: number(), CumulativeReward: number(),
	}
	if r.IntN(8) > 0 {
		step.Position = &mazev1.Cell{Row: integer(), Col: integer()}
	}
	if r.IntN(8) > 0 {
		step.Scores = &inferencev1.ActionScores{
			Kind: inferencev1.ScoreKind(r.IntN(3)), Values: floats(), Probabilities: floats(), StateValue: float32(number()),
		}
	}
	if r.IntN(8) > 0 {
		step.ServerTs = &timestamppb.Timestamp{Seconds: int64(integer()) * 1000, Nanos: integer()}
	}
	if r.IntN(16) == 0 {
		step.PolicyMap = &inferencev1.PolicyMap{AtStep: integer(), Values: floats()}
	}
	return step
}

// TestTheFastWayKnowsEveryField fails when the contract grows: appendStep must then write the new field too, or it would be lost.
func TestTheFastWayKnowsEveryField(t *testing.T) {
	for message, known := range map[proto.Message][]protowire.Number{
		&inferencev1.EpisodeSteps{}: {episodeSteps},
		&inferencev1.Step{}:         {stepIndex, stepPosition, stepAction, stepHitWall, stepReachedGoal, stepReward, stepCumulative, stepScores, stepServerTS, 10}, // 10, policy_map, takes the slow way
		&mazev1.Cell{}:              {cellRow, cellCol},
		&inferencev1.ActionScores{}: {scoresKind, scoresValues, scoresProbabilities, scoresStateValue},
		&timestamppb.Timestamp{}:    {timestampSeconds, timestampNanos},
	} {
		fields := message.ProtoReflect().Descriptor().Fields()
		for i := range fields.Len() {
			if field := fields.Get(i); !slices.Contains(known, field.Number()) {
				t.Errorf("%s is not written by appendSteps", field.FullName())
			}
		}
		if fields.Len() != len(known) {
			t.Errorf("%T has %d fields, want %d", message, fields.Len(), len(known))
		}
	}
}

func sampleStep() usecase.Step {
	return usecase.Step{
		Step:          domain.Step{Index: 34, Action: domain.ActionLeft, Position: domain.Cell{Row: 7, Col: 3}, Reward: -1, Cumulative: -34},
		Scores:        domain.ActionScores{Kind: domain.ScoreKindLogit, Values: [4]float32{0.5, -1, 3, 2}, StateValue: 0.7},
		Probabilities: [4]float32{0.1, 0.1, 0.6, 0.2},
		ServerTime:    time.Unix(1_790_000_000, 123_456_789),
	}
}

func TestStepsHaveTheBytesThatProtobufGivesThem(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	written := 0
	for range 20_000 {
		steps := &inferencev1.EpisodeSteps{}
		for range r.IntN(8) {
			steps.Steps = append(steps.Steps, randomStep(r))
		}
		response := &inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Steps{Steps: steps}}
		want, err := proto.Marshal(response)
		if err != nil {
			t.Fatal(err)
		}
		prefix := []byte("kept")
		got, err := ProtoCodec{}.MarshalAppend(prefix, response)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(got, append([]byte("kept"), want...)) {
			t.Fatalf("%v\ngot  %x\nwant %x", response, got, want)
		}
		if _, ok := appendSteps(nil, steps.Steps); ok {
			written++
		}
	}
	if written < 2000 {
		t.Errorf("only %d of 20,000 messages took the fast way", written)
	}
}

func TestALargeMessageOfStepsTakesTheFastWay(t *testing.T) {
	var memory stepsMessage
	steps := make([]usecase.Step, 1024)
	for i := range steps {
		steps[i] = sampleStep()
		steps[i].Index = i + 1
	}
	want, err := proto.Marshal(memory.fill(steps))
	if err != nil {
		t.Fatal(err)
	}
	got, ok := appendSteps(nil, memory.steps.GetSteps())
	if !ok || !bytes.Equal(got, want) {
		t.Errorf("fast %v, %d bytes, want %d", ok, len(got), len(want))
	}
}

func TestOtherMessagesAreProtobufsOwn(t *testing.T) {
	message := &mazev1.Cell{Row: 3, Col: 4}
	want, _ := proto.Marshal(message)
	for name, marshal := range map[string]func(any) ([]byte, error){"Marshal": ProtoCodec{}.Marshal, "MarshalStable": ProtoCodec{}.MarshalStable} {
		got, err := marshal(message)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v; want %x", name, got, err, want)
		}
		if _, err := marshal("no message"); err == nil {
			t.Errorf("%s took a string", name)
		}
	}
	var back mazev1.Cell
	if err := (ProtoCodec{}).Unmarshal(want, &back); err != nil || !proto.Equal(&back, message) {
		t.Errorf("got %v, %v", &back, err)
	}
}

func BenchmarkStepsMessage(b *testing.B) {
	var memory stepsMessage
	message := memory.fill([]usecase.Step{sampleStep(), sampleStep(), sampleStep()})
	for name, marshal := range map[string]func([]byte, any) ([]byte, error){
		"ours": ProtoCodec{}.MarshalAppend,
		"protobuf": func(to []byte, m any) ([]byte, error) {
			return proto.MarshalOptions{}.MarshalAppend(to, m.(proto.Message))
		},
	} {
		b.Run(name, func(b *testing.B) {
			var buffer []byte
			b.ReportAllocs()
			for b.Loop() {
				buffer, _ = marshal(buffer[:0], message)
			}
		})
	}
}
