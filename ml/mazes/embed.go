// Package mazes carries the committed maze sets into the server's binary. Reading them is the business of the adapter mazeset.
package mazes

import "embed"

// Files holds <set_id>.json for every set.
//
//go:embed *.json
var Files embed.FS
