// Package onnxtrial tries networks that somebody sent in a child process: the program itself, with an argument of its own, limits on memory and time, no
// environment and an empty working directory. What a file does there, it does to nobody else. Which fields a file may have is the walk's matter,
// and what its numbers mean is not looked at here.
package onnxtrial

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strconv"
	"strings"
	"syscall"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
)

// argument makes the program a child that tries one network. It is no command for people.
const argument = "try-network-of-parent"

// What the child says: ready when ONNX Runtime is loaded and no limit is missing, and then one word for the file. The parent has the sentences, so
// that a child that a file took over has none.
const (
	wordReady     = "ready"
	wordPassed    = "passed"
	wordLoad      = "load"
	wordShape     = "shape"
	wordRun       = "run"
	wordNotFinite = "not-finite"
	wordMemory    = "memory"
)

// The limits that the child puts on itself. What it has when it is ready, ONNX Runtime and Go, does not count.
const (
	mostData       = 384 << 20 // bytes of writable memory; a policy of the largest file needs some 20 MB
	mostCPUSeconds = 4         // of the whole child; the parent's clock is stricter
	mostFiles      = 64
)

// ServeIfChild tries a network and ends the process where the program was started to do so; elsewhere it does nothing. A program that registers
// models calls it before anything else.
func ServeIfChild() {
	if len(os.Args) != 3 || os.Args[1] != argument {
		return
	}
	os.Exit(serve(os.Args[2]))
}

func serve(library string) int {
	answer := func(word string) int {
		if _, err := fmt.Println(word); err != nil {
			return 1
		}
		return 0
	}
	runtime, err := onnx.Open(library)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if err := limit(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	if answer(wordReady) != 0 {
		return 1
	}
	file, err := io.ReadAll(os.Stdin) // the parent has walked over it: it has few megabytes
	if err != nil {
		return 1
	}
	return answer(try(runtime, file))
}

// limit is called before the file is read.
func limit() error {
	data, err := dataBytes()
	if err != nil {
		return err
	}
	for _, l := range []struct {
		resource int
		most     uint64
	}{
		{syscall.RLIMIT_CORE, 0},
		{syscall.RLIMIT_CPU, mostCPUSeconds},
		{syscall.RLIMIT_DATA, data + mostData},
		{syscall.RLIMIT_FSIZE, 0},
		{syscall.RLIMIT_NOFILE, mostFiles},
	} {
		if err := syscall.Setrlimit(l.resource, &syscall.Rlimit{Cur: l.most, Max: l.most}); err != nil {
			return fmt.Errorf("limit the child: %w", err)
		}
	}
	return nil
}

// dataBytes is the writable memory of this process, as RLIMIT_DATA counts it.
func dataBytes() (uint64, error) {
	file, err := os.Open("/proc/self/status")
	if err != nil {
		return 0, err
	}
	defer file.Close()
	for lines := bufio.NewScanner(file); lines.Scan(); {
		if rest, ok := strings.CutPrefix(lines.Text(), "VmData:"); ok {
			kilobytes, err := strconv.ParseUint(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 10, 64)
			return kilobytes << 10, err
		}
	}
	return 0, errors.New("/proc/self/status has no VmData")
}

// probeBatches are the numbers of rows that a network is asked for: one, as a step does, and what a policy map of the largest maze needs at once.
var probeBatches = []int{1, 900}

// try returns the word for a file.
func try(runtime *onnx.Runtime, file []byte) string {
	network, err := runtime.LoadNetwork(file)
	if err != nil {
		return wordOf(err, wordLoad)
	}
	for _, batch := range probeBatches {
		observations, scores, values := make([]float32, batch*domain.ObservationLength), make([]float32, 4*batch), make([]float32, batch)
		for i := range observations {
			observations[i] = probe(i)
		}
		if err := network.Infer(observations, scores, values); err != nil {
			return wordOf(err, wordRun)
		}
		for _, v := range append(scores, values...) {
			if math.IsNaN(float64(v)) || math.IsInf(float64(v), 0) {
				return wordNotFinite
			}
		}
	}
	return wordPassed
}

// probe is the i-th number of the observations: −1 to 1, after a first row of zeros.
func probe(i int) float32 {
	if i < domain.ObservationLength {
		return 0
	}
	return float32(2*domain.Unit(1, i) - 1)
}

// wordOf tells memory that was not given from what else goes wrong.
func wordOf(err error, word string) string {
	if fault, ok := errors.AsType[*domain.NetworkFault](err); ok && strings.HasSuffix(fault.Rule, "."+wordShape) {
		return wordShape
	}
	if strings.Contains(err.Error(), "alloc") { // of ONNX Runtime: "bad_alloc", "Failed to allocate memory for requested buffer"
		return wordMemory
	}
	return word
}
