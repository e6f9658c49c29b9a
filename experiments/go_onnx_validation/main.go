// Command go_onnx_validation loads an exported policy network with ONNX Runtime, replays the answers that PyTorch gave at its export, and says how
// well both agree and how long a call takes.
//
// It is the smallest program that shows that a network trained in Python acts the same in Go. The server does the same, and more, at every
// registration; this program shares no code with it, so that it remains a second opinion.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sort"
	"time"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		if !errors.Is(err, flag.ErrHelp) {
			fmt.Fprintln(os.Stderr, "go_onnx_validation:", err)
		}
		os.Exit(1)
	}
}

// run is the program: it reads the flags, prints what it finds and returns an error when anything disagrees.
func run(arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("go_onnx_validation", flag.ContinueOnError)
	model := flags.String("model", "../../ml/models/ppo-memory-1", "folder with policy.onnx and parity.json")
	library := flags.String("library", os.Getenv("ONNXRUNTIME_LIB"), "path of libonnxruntime; empty: the one that make installed in this repository")
	calls := flags.Int("calls", 20_000, "how many calls are timed for each batch size")
	if err := flags.Parse(arguments); err != nil {
		return err
	}
	if *calls < 1 {
		return fmt.Errorf("-calls must be at least 1, got %d", *calls)
	}
	if *library == "" {
		found, err := installedLibrary()
		if err != nil {
			return err
		}
		*library = found
	}

	vectors, err := readParity(filepath.Join(*model, "parity.json"))
	if err != nil {
		return err
	}
	network, err := open(*library, filepath.Join(*model, "policy.onnx"))
	if err != nil {
		return err
	}
	defer network.close()

	agreement, err := replay(network, vectors)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "model              %s\n", filepath.Base(filepath.Clean(*model)))
	fmt.Fprintf(out, "ONNX Runtime       %s\n", network.version())
	fmt.Fprintf(out, "vectors            %d\n", agreement.vectors)
	fmt.Fprintf(out, "scores differ by   %.1e at most, allowed %.0e\n", agreement.scores, vectors.Tolerance)
	fmt.Fprintf(out, "values differ by   %.1e at most\n", agreement.values)
	fmt.Fprintf(out, "same best action   %d of %d\n", agreement.sameAction, agreement.vectors)

	for _, batch := range []int{1, 64} {
		took, err := timeCalls(network, vectors, batch, *calls)
		if err != nil {
			return err
		}
		fmt.Fprintf(out, "batch of %-9d %6.1f µs a call (median), %6.1f µs (p95), %.2f µs an observation\n",
			batch, microseconds(took[len(took)/2]), microseconds(took[len(took)*95/100]), microseconds(took[len(took)/2])/float64(batch))
	}
	if err := agreement.within(vectors.Tolerance); err != nil {
		return err
	}
	fmt.Fprintln(out, "verdict            the network acts in Go as it did in Python")
	return nil
}

// timeCalls measures calls of one batch size and returns their durations, shortest first.
func timeCalls(network *network, vectors parity, batch, calls int) ([]time.Duration, error) {
	bound, err := network.bind(batch)
	if err != nil {
		return nil, err
	}
	defer bound.destroy()
	for i := range batch {
		copy(bound.input[i*observationLength:], vectors.Vectors[i%len(vectors.Vectors)].Observation)
	}
	took := make([]time.Duration, calls)
	for warmUp := range calls/10 + 1 {
		if err := bound.run(); err != nil {
			return nil, fmt.Errorf("warm-up call %d: %w", warmUp, err)
		}
	}
	for i := range took {
		began := time.Now()
		if err := bound.run(); err != nil {
			return nil, fmt.Errorf("call %d: %w", i, err)
		}
		took[i] = time.Since(began)
	}
	sort.Slice(took, func(i, j int) bool { return took[i] < took[j] })
	return took, nil
}

func microseconds(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1_000 }
