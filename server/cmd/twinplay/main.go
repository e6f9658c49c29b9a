// Command twinplay plays the random episodes that Go and Python must play alike (ml/conformance/README.md, §8) and prints
// "<seed> <episodes> <steps> <hex digest>". Python prints the same line, or one of the two is wrong.
package main

import (
	"flag"
	"fmt"
	"os"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func main() {
	seed := flag.Uint64("seed", 1, "seed of the episodes")
	steps := flag.Int("steps", 100_000, "least number of steps; the last episode is played to its end")
	flag.Parse()
	if flag.NArg() > 0 || *steps < 1 {
		flag.Usage()
		os.Exit(2)
	}
	play := domain.PlayTwin(*seed, *steps)
	fmt.Println(*seed, play.Episodes, play.Steps, play.Digest)
}
