package app

import (
	"fmt"
	"os"
	"slices"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/repositorytools"
)

// onnxRuntimePattern is where `make run` puts ONNX Runtime, below the root of the repository.
const onnxRuntimePattern = ".tools/light/lib/python3*/site-packages/onnxruntime/capi/libonnxruntime.so.*"

// findONNXRuntime returns the library that was asked for, else the repository's own, looked for upwards from the working directory and
// from the program.
func findONNXRuntime(asked string) (string, error) {
	if asked != "" {
		if state, err := os.Stat(asked); err != nil || !state.Mode().IsRegular() {
			return "", fmt.Errorf("ONNXRUNTIME_LIB is %q, which is no file; want the path of libonnxruntime.so", asked)
		}
		return asked, nil
	}
	if found := repositorytools.Find(onnxRuntimePattern); len(found) > 0 {
		return slices.Max(found), nil
	}
	return "", fmt.Errorf("ONNX Runtime was not found: run `make run`, or set ONNXRUNTIME_LIB to libonnxruntime.so")
}
