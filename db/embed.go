// Package db carries the checked migrations inside the server's binary.
// It holds no Go code beyond that: queries become Go in gen/sqlc, and infrastructure/postgres runs both.
package db

import "embed"

// Migrations holds migrations/*.sql, in goose's format; the number in front of a name is its version.
//
//go:embed migrations/*.sql
var Migrations embed.FS

// Fixtures holds fixtures/*.sql: rows that a database of the version in front of the name could hold. Tests insert them between
// a migration and its reversal, so that migrations are tried on tables that are not empty.
//
//go:embed fixtures/*.sql
var Fixtures embed.FS
