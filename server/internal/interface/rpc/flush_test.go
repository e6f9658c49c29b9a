package rpc_test

import (
	"context"
	"testing"

	"connectrpc.com/connect"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	"github.com/rlmaze/rlmaze/server/internal/interface/flush"
)

// TestMessagesLeaveWhenSentUnlessMoreFollowsAtOnce: a client holds the first message while the handler waits for it, which works only when the
// message has left; a held one has not arrived when the one after it is sent, and arrives with it.
func TestMessagesLeaveWhenSentUnlessMoreFollowsAtOnce(t *testing.T) {
	received := make(chan struct{})
	c := newChain(t, scripted{stream: func(ctx context.Context, stream *connect.ServerStream[inferencev1.RunEpisodeResponse]) error {
		send := func(index int32) {
			if err := stream.Send(&inferencev1.RunEpisodeResponse{Event: &inferencev1.RunEpisodeResponse_Steps{Steps: &inferencev1.EpisodeSteps{Steps: []*inferencev1.Step{{Index: index}}}}}); err != nil {
				t.Error(err)
			}
		}
		send(1)
		<-received
		flush.Hold(ctx)
		send(2)
		select {
		case <-received:
			t.Error("a held message left before the next flush")
		default:
		}
		flush.Release(ctx)
		send(3)
		<-received
		<-received
		flush.Hold(ctx)
		send(4) // leaves with the end
		return nil
	}})
	stream, err := c.client.RunEpisode(t.Context(), validRun)
	if err != nil {
		t.Fatal(err)
	}
	for want := int32(1); want <= 4; want++ {
		if !stream.Receive() {
			t.Fatalf("the stream ended before message %d: %v", want, stream.Err())
		}
		if got := stream.Msg().GetSteps().GetSteps()[0].GetIndex(); got != want {
			t.Fatalf("got message %d, want %d", got, want)
		}
		if want < 4 {
			received <- struct{}{}
		}
	}
	if stream.Receive() || stream.Err() != nil {
		t.Fatalf("the stream did not end well: %v", stream.Err())
	}
	_ = stream.Close()
	flush.Hold(t.Context()) // outside of a request it does nothing
}
