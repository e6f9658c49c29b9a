package mongo

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"go.mongodb.org/mongo-driver/v2/mongo"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// refusals are the codes by which a server blames the document or the command, which no retry will change:
// BadValue, FailedToParse, TypeMismatch, InvalidOptions, DocumentValidationFailure, BSONObjectTooLarge.
var refusals = []int{2, 9, 14, 72, 121, 10334}

// translateError turns what MongoDB and its driver say into a domain error; it is the only place where that happens.
// A domain error passes unchanged, and so does a cancellation by the caller, who knows already.
func translateError(what string, err error) error {
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[*domain.Error](err); ok {
		return err
	}
	if errors.Is(err, context.Canceled) {
		return err
	}
	if refused(err) {
		return &domain.Error{Code: domain.CodeInternal, Rule: "store.refused", Message: "the episode log refused the document", Cause: fmt.Errorf("%s: %w", what, err)}
	}
	// Everything else is the store's own trouble: no connection, no primary, a timeout, a full disk, a wrong password. Later it will
	// work, or health tells the operator.
	return domain.Unavailable("mongodb", fmt.Errorf("%s: %w", what, err))
}

func refused(err error) bool {
	// A single write error of a bulk write is no mongo.ServerError.
	if write, ok := errors.AsType[mongo.WriteError](err); ok {
		for _, code := range refusals {
			if write.Code == code {
				return true
			}
		}
		return false
	}
	server, ok := errors.AsType[mongo.ServerError](err)
	if !ok {
		return false
	}
	for _, code := range refusals {
		if server.HasErrorCode(code) {
			return true
		}
	}
	return false
}

// databaseOf returns the path of a MongoDB address, which may list several hosts and is therefore no URL to net/url.
func databaseOf(uri string) string {
	_, rest, _ := strings.Cut(uri, "://")
	if _, path, ok := strings.Cut(rest, "/"); ok {
		path, _, _ = strings.Cut(path, "?")
		if name, err := url.PathUnescape(path); err == nil && name != "" {
			return name
		}
	}
	return DefaultDatabase
}
