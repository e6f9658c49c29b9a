package onnx

import (
	"unicode/utf8"

	"google.golang.org/protobuf/encoding/protowire"
)

// form is how a field of a message may stand in a file.
type form struct {
	wire   protowire.Type
	many   bool   // it may stand more than once; protobuf would merge two of any other field, and readers differ in how
	packed bool   // its numbers may also stand together, behind one length
	text   bool   // it is a name or a note: UTF-8 of at most longestText bytes
	refuse *fault // nil: it is allowed
}

// The forms that messages of onnx.proto are made of.
var (
	number   = form{wire: protowire.VarintType}
	numbers  = form{wire: protowire.VarintType, many: true, packed: true}
	float    = form{wire: protowire.Fixed32Type}
	floats   = form{wire: protowire.Fixed32Type, many: true, packed: true}
	raw      = form{wire: protowire.BytesType}
	text     = form{wire: protowire.BytesType, text: true}
	texts    = form{wire: protowire.BytesType, text: true, many: true}
	message  = form{wire: protowire.BytesType}
	messages = form{wire: protowire.BytesType, many: true}
)

// refused is a field that no policy needs.
func refused(f *fault) form { return form{refuse: f} }

// layout says which fields a message may have.
type layout map[protowire.Number]form

// found is one field of a message; its bytes are those of the file, not a copy.
type found struct {
	number protowire.Number
	bytes  []byte // what has a length, and the numbers of a packed field
	n      uint64 // a number, or the bits of a float
	packed bool
}

// each calls visit with the fields of a message in turn. It allocates nothing and goes no deeper than its caller: how deep a file is read is how
// the functions of this package call each other, whatever the file says.
func (l layout) each(content []byte, visit func(found) error) error {
	var seen uint64 // the fields of onnx.proto that are allowed have numbers below 64
	for len(content) > 0 {
		n, kind, size := protowire.ConsumeTag(content)
		if size < 0 {
			return faultCut.refuse()
		}
		content = content[size:]
		allowed, known := l[n]
		switch {
		case !known:
			return faultUnknownField.refuse()
		case allowed.refuse != nil:
			return allowed.refuse.refuse()
		case kind != allowed.wire && !(allowed.packed && kind == protowire.BytesType):
			return faultWireType.refuse()
		case !allowed.many && seen>>n&1 == 1:
			return faultFieldTwice.refuse()
		}
		seen |= 1 << n
		f := found{number: n, packed: allowed.packed && kind == protowire.BytesType}
		switch kind {
		case protowire.VarintType:
			f.n, size = protowire.ConsumeVarint(content)
		case protowire.Fixed32Type:
			var bits uint32
			bits, size = protowire.ConsumeFixed32(content)
			f.n = uint64(bits)
		default:
			f.bytes, size = protowire.ConsumeBytes(content)
		}
		if size < 0 {
			return faultCut.refuse()
		}
		content = content[size:]
		if allowed.text && (len(f.bytes) > longestText || !utf8.Valid(f.bytes)) {
			return faultText.refuse()
		}
		if err := visit(f); err != nil {
			return err
		}
	}
	return nil
}

// eachNumber calls visit with the numbers of a repeated field, packed or not.
func (f found) eachNumber(visit func(uint64) error) error {
	if !f.packed {
		return visit(f.n)
	}
	for rest := f.bytes; len(rest) > 0; {
		n, size := protowire.ConsumeVarint(rest)
		if size < 0 {
			return faultCut.refuse()
		}
		rest = rest[size:]
		if err := visit(n); err != nil {
			return err
		}
	}
	return nil
}

// eachFloat calls visit with the bits of the floats of a repeated field, packed or not.
func (f found) eachFloat(visit func(uint32) error) error {
	if !f.packed {
		return visit(uint32(f.n)) //nolint:gosec // it was read as 32 bits
	}
	for rest := f.bytes; len(rest) > 0; {
		bits, size := protowire.ConsumeFixed32(rest)
		if size < 0 {
			return faultCut.refuse()
		}
		rest = rest[size:]
		if err := visit(bits); err != nil {
			return err
		}
	}
	return nil
}
