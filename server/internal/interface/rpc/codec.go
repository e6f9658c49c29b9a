package rpc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"
)

// JSONCodec writes JSON for people: fields that hold their default are there too (a step with row 0 has a row), enums are names. It
// stands in for Connect's own codec under both names that content types give it. Reading is as in Connect: unknown fields are skipped, so
// that a newer client can talk to an older server.
type JSONCodec struct{ name string }

var readable = JSONCodec{name: "json"}

// JSONCodecs returns the codec under its two names.
func JSONCodecs() []connect.HandlerOption {
	return []connect.HandlerOption{
		connect.WithCodec(JSONCodec{name: "json"}),
		connect.WithCodec(JSONCodec{name: "json; charset=utf-8"}),
	}
}

// Name returns the name in content types.
func (c JSONCodec) Name() string { return c.name }

// Marshal returns the message as JSON.
func (c JSONCodec) Marshal(message any) ([]byte, error) { return c.MarshalAppend(nil, message) }

// MarshalAppend appends the message as JSON, so that connect-go can reuse its buffers.
func (c JSONCodec) MarshalAppend(to []byte, message any) ([]byte, error) {
	m, ok := message.(proto.Message)
	if !ok {
		return nil, fmt.Errorf("%T is no protobuf message", message)
	}
	return c.marshal(to, m)
}

func (c JSONCodec) marshal(to []byte, message proto.Message) ([]byte, error) {
	return protojson.MarshalOptions{EmitDefaultValues: true}.MarshalAppend(to, message)
}

// MarshalStable returns JSON without protojson's random spaces, as Connect's GET requests want it.
func (c JSONCodec) MarshalStable(message any) ([]byte, error) {
	raw, err := c.Marshal(message)
	if err != nil {
		return nil, err
	}
	var compact bytes.Buffer
	if err := json.Compact(&compact, raw); err != nil {
		return nil, err
	}
	return compact.Bytes(), nil
}

// IsBinary says that the output is text.
func (c JSONCodec) IsBinary() bool { return false }

// Unmarshal reads JSON into the message.
func (c JSONCodec) Unmarshal(from []byte, message any) error {
	m, ok := message.(proto.Message)
	if !ok {
		return fmt.Errorf("%T is no protobuf message", message)
	}
	if len(from) == 0 {
		return errors.New("an empty body is no JSON object; send {}")
	}
	return protojson.UnmarshalOptions{DiscardUnknown: true}.Unmarshal(from, m)
}
