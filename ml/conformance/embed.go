// Package conformance carries the files that pin the law into Go: the trail table, which the domain loads, and the cases that its tests replay.
package conformance

import "embed"

// TrailAges is the table of the law, §5: 10,001 little-endian float32.
//
//go:embed trail_ages.f32
var TrailAges []byte

// Cases holds the JSON files of the law, §8.
//
//go:embed *.json
var Cases embed.FS
