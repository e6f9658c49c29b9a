package domain

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/rlmaze/rlmaze/ml/conformance"
)

// oldestAge is the age from which on a visited cell looks the same.
const oldestAge = 10_000

// trailAges is the table of the law (§5). It is read and not computed, because logarithms differ in the last bit between languages.
var trailAges = readTrailAges(conformance.TrailAges)

func readTrailAges(file []byte) (table [oldestAge + 1]float32) {
	if len(file) != 4*len(table) {
		panic(fmt.Sprintf("domain: trail_ages.f32 has %d bytes instead of %d", len(file), 4*len(table)))
	}
	for age := range table {
		table[age] = math.Float32frombits(binary.LittleEndian.Uint32(file[4*age:]))
	}
	return table
}

// trailAge is the value of a cell on which the agent stood so many steps ago.
func trailAge(age int) float32 { return trailAges[min(age, oldestAge)] }
