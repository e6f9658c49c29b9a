package domain

import "context"

// StorePinger tells whether a store answers.
type StorePinger interface {
	// StoreName is "postgresql" or "mongodb".
	StoreName() string
	// StoreEmbedded is true when the server started the store itself.
	StoreEmbedded() bool
	// PingStore returns nil when the store answers; the error is for the log, never for a client.
	PingStore(ctx context.Context) error
}
