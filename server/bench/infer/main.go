// Command infer times the server's own network adapter on the observations of a model's parity file: our side of the benchmark infer.
// It prints one JSON object in the shape of benchmarks/infer/peer.py.
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
)

const batchSize = 100

type figures struct {
	Us    float64 `json:"us"`
	CPUUs float64 `json:"cpu_us"`
}

type report struct {
	Version string     `json:"version"`
	Single  figures    `json:"single"`
	Batch   figures    `json:"batch"`
	Scores  [4]float32 `json:"scores"`
}

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "infer:", err)
		os.Exit(1)
	}
}

// run takes the paths of policy.onnx and parity.json and the seconds of each case.
func run(arguments []string) (err error) {
	if len(arguments) != 3 {
		return fmt.Errorf("want policy.onnx, parity.json and seconds")
	}
	seconds, err := strconv.ParseFloat(arguments[2], 64)
	if err != nil {
		return err
	}
	observations, err := readObservations(arguments[1])
	if err != nil {
		return err
	}
	file, err := os.ReadFile(arguments[0])
	if err != nil {
		return err
	}
	runtime, err := onnx.Open(os.Getenv("ONNXRUNTIME_LIB"))
	if err != nil {
		return err
	}
	defer runtime.Close()
	network, err := runtime.LoadNetwork(file)
	if err != nil {
		return err
	}
	defer network.Close()

	var scores [4 * batchSize]float32
	var values [batchSize]float32
	var batch [batchSize * domain.ObservationLength]float32
	for i := range batch {
		batch[i] = observations[i%len(observations)]
	}
	single := observations[:domain.ObservationLength]
	r := report{Version: runtime.Version()}
	limit := time.Duration(seconds * float64(time.Second))
	if r.Single, err = measure(limit, func() error { return network.Infer(single, scores[:4], values[:1]) }); err != nil {
		return err
	}
	r.Scores = [4]float32(scores[:4])
	if r.Batch, err = measure(limit, func() error { return network.Infer(batch[:], scores[:], values[:]) }); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(r)
}

// readObservations returns the parity vectors' observations, one after the other.
func readObservations(path string) ([]float32, error) {
	file, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var parity struct {
		Vectors []struct {
			Observation []float32 `json:"observation"`
		} `json:"vectors"`
	}
	if err := json.Unmarshal(file, &parity); err != nil {
		return nil, err
	}
	var observations []float32
	for _, vector := range parity.Vectors {
		observations = append(observations, vector.Observation...)
	}
	if len(observations) == 0 || len(observations)%domain.ObservationLength != 0 {
		return nil, fmt.Errorf("read %s: %d observation values", path, len(observations))
	}
	return observations, nil
}

// measure calls for so long, in blocks, after a tenth of that to warm up.
func measure(limit time.Duration, call func() error) (figures, error) {
	const block = 500
	var f figures
	for _, limit := range []time.Duration{limit / 10, limit} {
		calls, began, cpu := 0, time.Now(), ownCPU()
		for time.Since(began) < limit {
			for range block {
				if err := call(); err != nil {
					return f, err
				}
			}
			calls += block
		}
		f = figures{
			Us:    float64(time.Since(began).Nanoseconds()) / 1e3 / float64(calls),
			CPUUs: float64((ownCPU() - cpu).Nanoseconds()) / 1e3 / float64(calls),
		}
	}
	return f, nil
}

func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
