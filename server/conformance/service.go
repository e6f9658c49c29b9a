// Package conformance puts the product's HTTP handler chain under connectrpc's own conformance suite (connectconformance, pinned in
// tools/conformance). It holds the service that the suite calls; the test of this package mounts it behind the very interceptors,
// codecs, limits and middleware that the product's services stand behind, and lets the runner loose on it.
//
// It is not part of the product: nothing imports it.
package conformance

//go:generate ./generate.sh

import (
	"context"
	"errors"
	"net/http"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/types/known/anypb"

	conformancev1 "github.com/rlmaze/rlmaze/server/conformance/gen/connectrpc/conformance/v1"
	"github.com/rlmaze/rlmaze/server/conformance/gen/connectrpc/conformance/v1/conformancev1connect"
)

// Service implements the part of ConformanceService that the product has: unary calls (by POST and by GET) and server streams.
// Client and bidirectional streams answer unimplemented and are left out of the suite's configuration.
type Service struct {
	conformancev1connect.UnimplementedConformanceServiceHandler
}

// Unary answers as the request's response definition says and echoes what it saw of the request.
func (Service) Unary(ctx context.Context, req *conformancev1.UnaryRequest) (*conformancev1.UnaryResponse, error) {
	payload, err := answer(ctx, req, req.GetResponseDefinition())
	if err != nil {
		return nil, err
	}
	return &conformancev1.UnaryResponse{Payload: payload}, nil
}

// IdempotentUnary is Unary for a method without side effects, which clients may call by GET.
func (Service) IdempotentUnary(ctx context.Context, req *conformancev1.IdempotentUnaryRequest) (*conformancev1.IdempotentUnaryResponse, error) {
	payload, err := answer(ctx, req, req.GetResponseDefinition())
	if err != nil {
		return nil, err
	}
	return &conformancev1.IdempotentUnaryResponse{Payload: payload}, nil
}

// ServerStream sends the defined messages one by one, the first with what was seen of the request, and ends as defined.
func (Service) ServerStream(ctx context.Context, req *conformancev1.ServerStreamRequest, stream *connect.ServerStream[conformancev1.ServerStreamResponse]) error {
	definition := req.GetResponseDefinition()
	addHeaders(stream.ResponseHeader(), definition.GetResponseHeaders())
	addHeaders(stream.ResponseTrailer(), definition.GetResponseTrailers())
	seen, err := observe(ctx, req)
	if err != nil {
		return err
	}
	if len(definition.GetResponseData()) > 0 {
		if err := stream.Send(nil); err != nil { // Headers leave at once, before any delay.
			return err
		}
	}
	for _, data := range definition.GetResponseData() {
		if err := pause(ctx, definition.GetResponseDelayMs()); err != nil {
			return err
		}
		if err := stream.Send(&conformancev1.ServerStreamResponse{
			Payload: &conformancev1.ConformancePayload{Data: data, RequestInfo: seen},
		}); err != nil {
			return err
		}
		seen = nil // Only the first message carries it.
	}
	if definition.GetError() != nil {
		return defined(definition.GetError(), seen)
	}
	return nil
}

// answer is the common part of the unary methods.
func answer(ctx context.Context, req proto.Message, definition *conformancev1.UnaryResponseDefinition) (*conformancev1.ConformancePayload, error) {
	seen, err := observe(ctx, req)
	if err != nil {
		return nil, err
	}
	if err := pause(ctx, definition.GetResponseDelayMs()); err != nil {
		return nil, err
	}
	if definition.GetError() != nil {
		failure := defined(definition.GetError(), seen)
		// A unary error has no trailers of its own: Connect sends both kinds as the error's metadata.
		addHeaders(failure.Meta(), definition.GetResponseHeaders())
		addHeaders(failure.Meta(), definition.GetResponseTrailers())
		return nil, failure
	}
	if call, ok := connect.CallInfoForHandlerContext(ctx); ok {
		addHeaders(call.ResponseHeader(), definition.GetResponseHeaders())
		addHeaders(call.ResponseTrailer(), definition.GetResponseTrailers())
	}
	return &conformancev1.ConformancePayload{Data: definition.GetResponseData(), RequestInfo: seen}, nil
}

// observe describes the request as the handler sees it, after the whole chain.
func observe(ctx context.Context, req proto.Message) (*conformancev1.ConformancePayload_RequestInfo, error) {
	request, err := anypb.New(req)
	if err != nil {
		return nil, err
	}
	seen := &conformancev1.ConformancePayload_RequestInfo{Requests: []*anypb.Any{request}}
	if deadline, ok := ctx.Deadline(); ok {
		seen.TimeoutMs = new(time.Until(deadline).Milliseconds())
	}
	call, ok := connect.CallInfoForHandlerContext(ctx)
	if !ok {
		return seen, nil
	}
	for name, values := range call.RequestHeader() {
		seen.RequestHeaders = append(seen.RequestHeaders, &conformancev1.Header{Name: name, Value: values})
	}
	if call.HTTPMethod() == http.MethodGet {
		seen.ConnectGetInfo = &conformancev1.ConformancePayload_ConnectGetInfo{}
		for name, values := range call.Peer().Query {
			seen.ConnectGetInfo.QueryParams = append(seen.ConnectGetInfo.QueryParams, &conformancev1.Header{Name: name, Value: values})
		}
	}
	return seen, nil
}

// defined builds the error that the request asks for. Seen, when not nil, becomes its last detail.
func defined(definition *conformancev1.Error, seen *conformancev1.ConformancePayload_RequestInfo) *connect.Error {
	failure := connect.NewError(connect.Code(definition.GetCode()), errors.New(definition.GetMessage()))
	for _, message := range definition.GetDetails() {
		if detail, err := connect.NewErrorDetail(message); err == nil {
			failure.AddDetail(detail)
		}
	}
	if seen != nil {
		if detail, err := connect.NewErrorDetail(seen); err == nil {
			failure.AddDetail(detail)
		}
	}
	return failure
}

func addHeaders(target http.Header, headers []*conformancev1.Header) {
	for _, header := range headers {
		for _, value := range header.GetValue() {
			target.Add(header.GetName(), value)
		}
	}
}

// pause waits, unless the caller's deadline or the end of the connection comes first.
func pause(ctx context.Context, milliseconds uint32) error {
	if milliseconds == 0 {
		return nil
	}
	timer := time.NewTimer(time.Duration(milliseconds) * time.Millisecond)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
