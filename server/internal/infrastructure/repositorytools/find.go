// Package repositorytools finds what `make` has put below the root of the repository, such as ONNX Runtime and the programs of PostgreSQL. It
// installs nothing, and knows of no place outside of the repository.
package repositorytools

import (
	"os"
	"path/filepath"
	"regexp"
)

// Find returns the paths that match the pattern below the nearest folder that holds any, going upwards from the working directory and then
// from the program; none when there is no such folder. The pattern is filepath.Match's, relative, and must be well formed.
func Find(pattern string) []string {
	var starts []string
	if folder, err := os.Getwd(); err == nil {
		starts = append(starts, folder)
	}
	if program, err := os.Executable(); err == nil {
		starts = append(starts, filepath.Dir(program))
	}
	for _, start := range starts {
		if found := findFrom(start, pattern); len(found) > 0 {
			return found
		}
	}
	return nil
}

func findFrom(start, pattern string) []string {
	for folder := start; ; folder = filepath.Dir(folder) {
		// Glob fails on a malformed pattern only.
		if found, _ := filepath.Glob(filepath.Join(quoted(folder), pattern)); len(found) > 0 {
			return found
		}
		if folder == filepath.Dir(folder) {
			return nil
		}
	}
}

var special = regexp.MustCompile(`[\\*?\[\]]`)

// quoted makes a pattern that matches this folder only.
func quoted(folder string) string { return special.ReplaceAllString(folder, `\$0`) }
