package e2e

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"connectrpc.com/connect"
	"github.com/anishathalye/porcupine"
	"github.com/jackc/pgx/v5"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

// Models that were all measured to solve every held-out maze: the gate lets each take the place of each. The last one does not.
var (
	equalModels = []string{"dqn-memory-1", "ppo-memory-1", "ppo-trail-1"}
	worseModel  = "ppo-plain-1"
)

// TestSwitchesOfTwoInstances runs two servers on one PostgreSQL.
func TestSwitchesOfTwoInstances(t *testing.T) {
	stores := ownStores(t)
	variables := map[string]string{"DATABASE_URL": stores.databaseURL, "MONGODB_URI": stores.mongoURI}
	instances := []*server{start(t, maps.Clone(variables)), start(t, maps.Clone(variables))}
	killer, err := pgx.Connect(t.Context(), stores.databaseURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = killer.Close(context.Background()) })
	// deafen ends the connections on which the instances hear of switches.
	deafen := func() {
		if _, err := killer.Exec(t.Context(), `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'rlmaze switches'`); err != nil {
			t.Error(err)
		}
	}
	t.Run("new episodes of both use what either made active", func(t *testing.T) { followSwitches(t, instances, deafen) })
	t.Run("the history is linearizable", func(t *testing.T) { raceSwitches(t, instances, deafen) })
}

// actingModel is the model that a new episode of the instance gets.
func actingModel(t *testing.T, s *server) string {
	t.Helper()
	stream, err := inference(s.public).RunEpisode(t.Context(), &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001"), MaxSteps: 1})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = stream.Close() }()
	if !stream.Receive() {
		t.Fatal(stream.Err())
	}
	return stream.Msg().GetStarted().GetPolicy().GetModelId()
}

func followSwitches(t *testing.T, instances []*server, deafen func()) {
	for i := range count(6, 100) {
		if i%2 == 1 {
			deafen()
		}
		want := equalModels[i%len(equalModels)]
		if _, err := models(instances[i%2].private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: want}); err != nil {
			t.Fatal(err)
		}
		began := time.Now()
		if got := actingModel(t, instances[i%2]); got != want {
			t.Errorf("the instance that switched acts with %s, want %s", got, want)
		}
		eventually(t, "the other instance acts with "+want, func() bool { return actingModel(t, instances[1-i%2]) == want })
		if took := time.Since(began); took > measured.Limit(2*time.Second) {
			t.Errorf("the other instance followed after %v", took)
		}
	}
}

// switching is what a client asked for, reply what it got.
type (
	switching struct {
		verb     string // "set", "roll back" or "get"
		model    string
		expected int64
	}
	reply struct {
		code     connect.Code // 0 for success
		id       int64        // of the activation of the answer, or of the one in force where it was another than expected
		model    string
		previous string
		undone   int64
	}
)

// registryState is what a registry that does one thing after the other would hold.
type registryState struct {
	id      int64
	model   string
	before  string          // active before
	undoing map[int64]reply // roll-backs by what they undid
}

// sequential says which answers such a registry may give.
func sequential(initial registryState) porcupine.Model {
	return porcupine.Model{
		Init: func() any { return initial },
		Step: func(state, input, output any) (bool, any) {
			s, in, out := state.(registryState), input.(switching), output.(reply)
			next := registryState{id: out.id, model: out.model, before: s.model, undoing: s.undoing}
			isNext := out.id > s.id && out.previous == s.model
			switch in.verb {
			case "get":
				return out.code == 0 && out.id == s.id && out.model == s.model, s
			case "set":
				isFree := in.expected == 0 || in.expected == s.id
				switch {
				case s.model == in.model: // whatever was expected
					return out.code == 0 && out.id == s.id && out.model == s.model, s
				case !isFree:
					return out.code == connect.CodeAborted && out.id == s.id, s
				case in.model == worseModel:
					return out.code == connect.CodeFailedPrecondition, s
				}
				return out.code == 0 && isNext && out.model == in.model && out.undone == 0, next
			}
			if in.expected == s.id {
				next.undoing = maps.Clone(s.undoing)
				next.undoing[in.expected] = out
				return out.code == 0 && isNext && out.model == s.before && out.undone == in.expected, next
			}
			if done, ok := s.undoing[in.expected]; ok {
				return out == done, s
			}
			return out.code == connect.CodeAborted && out.id == s.id, s
		},
		Equal: func(a, b any) bool {
			// The same activation in force is the same past.
			return a.(registryState).id == b.(registryState).id
		},
		DescribeOperation: func(input, output any) string { return fmt.Sprintf("%+v -> %+v", input, output) },
	}
}

func replyOf(a *modelv1.Activation, err error) (reply, error) {
	if err == nil {
		return reply{id: a.GetActivationId(), model: a.GetModelId(), previous: a.GetPreviousModelId(), undone: a.GetUndoneActivationId()}, nil
	}
	failure, ok := errors.AsType[*connect.Error](err)
	if !ok {
		return reply{}, err
	}
	for _, d := range failure.Details() {
		value, valueErr := d.Value()
		if valueErr != nil {
			return reply{}, valueErr
		}
		switch detail := value.(type) {
		case *modelv1.ActiveModelChanged:
			return reply{code: failure.Code(), id: detail.GetActivation().GetActivationId()}, nil
		case *modelv1.SwitchRefused:
			if !detail.GetOverridable() || len(detail.GetChecks()) != 2 {
				return reply{}, fmt.Errorf("refused with %v", detail)
			}
			return reply{code: failure.Code()}, nil
		}
	}
	return reply{}, err
}

// ask sends one request and says what came of it.
func ask(ctx context.Context, s *server, in switching) (reply, error) {
	switch in.verb {
	case "get":
		response, err := models(s.public).GetActiveModel(ctx, &modelv1.GetActiveModelRequest{})
		return replyOf(response.GetActivation(), err)
	case "set":
		response, err := models(s.private).SetActiveModel(ctx, &modelv1.SetActiveModelRequest{ModelId: in.model, ExpectedActivationId: in.expected})
		return replyOf(response.GetActivation(), err)
	}
	response, err := models(s.private).RollBackActiveModel(ctx, &modelv1.RollBackActiveModelRequest{ExpectedActivationId: in.expected})
	return replyOf(response.GetActivation(), err)
}

func raceSwitches(t *testing.T, instances []*server, deafen func()) {
	active, err := models(instances[0].public).GetActiveModel(t.Context(), &modelv1.GetActiveModelRequest{})
	if err != nil {
		t.Fatal(err)
	}
	first := active.GetActivation()
	initial := registryState{id: first.GetActivationId(), model: first.GetModelId(), before: first.GetPreviousModelId(), undoing: map[int64]reply{}}

	const clients = 8
	var (
		mu         sync.Mutex
		operations []porcupine.Operation
		began      = time.Now()
		all        sync.WaitGroup
	)
	for client := range clients {
		all.Go(func() {
			random := rand.New(rand.NewPCG(7, uint64(client)))
			seen := initial.id
			for range count(13, 60) {
				in := switching{verb: "get"}
				switch random.IntN(6) {
				case 0, 1:
					in = switching{verb: "set", model: equalModels[random.IntN(len(equalModels))]}
				case 2:
					in = switching{verb: "set", model: slices.Concat(equalModels, []string{worseModel})[random.IntN(4)], expected: seen}
				case 3, 4:
					in = switching{verb: "roll back", expected: seen}
				}
				call := time.Since(began).Nanoseconds()
				out, err := ask(t.Context(), instances[client%2], in)
				returned := time.Since(began).Nanoseconds()
				if err != nil {
					t.Errorf("%+v: %v", in, err)
					return
				}
				if out.id != 0 {
					seen = out.id
				}
				mu.Lock()
				operations = append(operations, porcupine.Operation{ClientId: client, Input: in, Output: out, Call: call, Return: returned})
				mu.Unlock()
			}
		})
	}
	for range count(3, 30) {
		deafen() // what is heard has no part in what is true
	}
	all.Wait()
	if t.Failed() {
		return
	}
	switch porcupine.CheckOperationsTimeout(sequential(initial), operations, measured.Patience) {
	case porcupine.Illegal:
		t.Errorf("no order of the %d operations explains their answers", len(operations))
	case porcupine.Unknown:
		t.Error("the order of the operations was not found in time")
	}

	history := wholeHistory(t, instances[1])
	for i, a := range history[:len(history)-1] {
		if earlier := history[i+1]; a.GetPreviousModelId() != earlier.GetModelId() || a.GetActivationId() <= earlier.GetActivationId() {
			t.Errorf("%v does not follow %v", a, earlier)
		}
	}
	made := 0
	for _, a := range history {
		if a.GetActivationId() > initial.id {
			made++
		}
	}
	t.Logf("%d operations of %d clients on two instances made %d activations", len(operations), clients, made)
	last := history[0].GetModelId()
	for _, s := range instances {
		eventually(t, "both act with "+last, func() bool { return actingModel(t, s) == last })
	}
	// What was active at a time is what the history says, second-hand or not.
	middle := history[len(history)/2]
	at, err := models(instances[0].public).ListActivations(t.Context(), &modelv1.ListActivationsRequest{At: middle.GetActivatedAt(), PageSize: 1})
	if err != nil || len(at.GetActivations()) != 1 || at.GetActivations()[0].GetActivatedAt().AsTime().After(middle.GetActivatedAt().AsTime()) {
		t.Errorf("active at %v: %v, %v", middle.GetActivatedAt(), at, err)
	}
}

// wholeHistory reads all pages, the newest first.
func wholeHistory(t *testing.T, s *server) []*modelv1.Activation {
	t.Helper()
	var history []*modelv1.Activation
	for token := ""; ; {
		page, err := models(s.public).ListActivations(t.Context(), &modelv1.ListActivationsRequest{PageSize: 7, PageToken: token})
		if err != nil {
			t.Fatal(err)
		}
		history = append(history, page.GetActivations()...)
		if token = page.GetNextPageToken(); token == "" {
			break
		}
	}
	if !slices.ContainsFunc(history, func(a *modelv1.Activation) bool { return a.GetActor() == "server" }) {
		t.Errorf("the first start is missing: %v", history)
	}
	return history
}

func TestRollingBackIsForThePrivateListener(t *testing.T) {
	if _, err := models(shared.public).RollBackActiveModel(t.Context(), &modelv1.RollBackActiveModelRequest{ExpectedActivationId: 1}); connect.CodeOf(err) != connect.CodePermissionDenied {
		t.Errorf("on the public listener: %v", err)
	}
	if _, err := models(shared.private).RollBackActiveModel(t.Context(), &modelv1.RollBackActiveModelRequest{}); connect.CodeOf(err) != connect.CodeInvalidArgument {
		t.Errorf("without what to undo: %v", err)
	}
}

// The check itself: it sees a switch that was lost, and a roll-back to somewhere else.
func TestTheSequentialRegistryRefusesWhatCanNotBe(t *testing.T) {
	model := sequential(registryState{id: 1, model: "a", undoing: map[int64]reply{}})
	at := func(client int, call int64, in switching, out reply) porcupine.Operation {
		return porcupine.Operation{ClientId: client, Input: in, Output: out, Call: call, Return: call + 5}
	}
	toB := at(0, 0, switching{verb: "set", model: "b"}, reply{id: 2, model: "b", previous: "a"})
	for name, c := range map[string]struct {
		second porcupine.Operation
		want   bool
	}{
		"one after the other": {at(1, 1, switching{verb: "set", model: "c"}, reply{id: 3, model: "c", previous: "b"}), true},
		"both before anybody": {at(1, 1, switching{verb: "set", model: "c"}, reply{id: 3, model: "c", previous: "a"}), false},
		"read in between":     {at(1, 1, switching{verb: "get"}, reply{id: 1, model: "a"}), true},
		"read of the past":    {at(1, 9, switching{verb: "get"}, reply{id: 1, model: "a"}), false},
		"undone":              {at(1, 9, switching{verb: "roll back", expected: 2}, reply{id: 3, model: "a", previous: "b", undone: 2}), true},
		"undone to another":   {at(1, 9, switching{verb: "roll back", expected: 2}, reply{id: 3, model: "c", previous: "b", undone: 2}), false},
		"overwritten unseen":  {at(1, 9, switching{verb: "set", model: "c", expected: 1}, reply{id: 3, model: "c", previous: "b"}), false},
	} {
		if got := porcupine.CheckOperations(model, []porcupine.Operation{toB, c.second}); got != c.want {
			t.Errorf("%s: linearizable is %v", name, got)
		}
	}
}
