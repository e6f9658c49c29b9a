// Package domain says what is true: mazes, episodes, observations, policies, models and the ports through which they are kept.
// It knows the standard library only; it does no I/O and reads no clock. In which order things happen is the use cases' matter.
package domain

import (
	"errors"
	"fmt"
)

// Code classifies a domain error. The interface layer has one table from codes to Connect codes.
type Code int

// The codes, from the caller's point of view.
const (
	CodeInternal           Code = iota // a defect of ours; never caused by input alone
	CodeInvalidArgument                // the request breaks a rule; Field and Rule say which
	CodeNotFound                       // what was named does not exist
	CodeAlreadyExists                  // the id is taken by something else
	CodeFailedPrecondition             // the request is fine, the state is not
	CodeResourceExhausted              // a limit is reached; later it may work
	CodeUnavailable                    // a store or the server is away; later it will work
	CodePermissionDenied               // not on this listener, or not by this caller
	CodeAborted                        // another caller was faster; read again and decide again
)

// Error is an error that a client may read: it holds no address, path or SQL state. Cause is for the log only.
type Error struct {
	Code    Code
	Field   string // path of the request's field in protobuf names ("maze.drawn.rows"); empty when none is at fault
	Rule    string // short stable name of the broken rule ("goal.missing")
	Message string // one sentence: what is wrong, and what is allowed or to be done next
	Cause   error

	Violations []Violation // every broken rule where there may be several; empty: the one of Field and Rule
}

// Violation is one broken rule of a request.
type Violation struct {
	Field   string // as in Error
	Rule    string
	Message string
}

func (e *Error) Error() string {
	if e.Cause != nil {
		return fmt.Sprintf("%s: %v", e.Message, e.Cause)
	}
	return e.Message
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Cause }

// Is matches another *Error by Code and Rule, so that errors.Is works with the sentinel values of this package.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Rule == e.Rule
}

// CodeOf returns the code of the first *Error in the chain, CodeInternal when there is none.
func CodeOf(err error) Code {
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// ErrDraining is the cause with which running streams are cancelled when the server goes down.
var ErrDraining = &Error{Code: CodeUnavailable, Rule: "server.draining", Message: "the server is going down; resume in a moment"}

// Unavailable wraps the failure of a store. What names it ("postgresql", "mongodb").
func Unavailable(what string, cause error) *Error {
	return &Error{Code: CodeUnavailable, Rule: "store.unavailable", Message: what + " is not reachable; try again in a moment", Cause: cause}
}
