package app

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestLayersImportInwardsOnly holds the rule of docs/architecture.md: domain ← usecase ← interface and infrastructure ← app. Domain and
// usecase know neither the generated contract nor a library; interface and infrastructure do not know each other. Message maps between domain and
// contract for both of them, and correlation carries the ids of a request through both.
func TestLayersImportInwardsOnly(t *testing.T) {
	const module, internal = "github.com/rlmaze/rlmaze/", "github.com/rlmaze/rlmaze/server/internal/"
	allowed := map[string][]string{
		"domain":         {module + "ml/conformance"}, // the table of the law, embedded
		"usecase":        {internal + "domain"},
		"message":        {internal + "domain", module + "gen/go"},
		"correlation":    {},
		"interface":      {internal + "domain", internal + "usecase", internal + "message", internal + "correlation", internal + "interface", module + "gen/go"},
		"infrastructure": {internal + "domain", internal + "message", internal + "correlation", internal + "infrastructure", module + "gen", module + "db", module + "ml"},
	}
	for layer, prefixes := range allowed {
		checked := 0
		err := filepath.WalkDir(filepath.Join("..", layer), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
			if err != nil {
				return err
			}
			checked++
			for _, spec := range file.Imports {
				imported, _ := strconv.Unquote(spec.Path.Value)
				if !importAllowed(layer, imported, module, prefixes) {
					t.Errorf("%s imports %s", path, imported)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if checked == 0 {
			t.Errorf("no file of %s was checked", layer)
		}
	}
}

func importAllowed(layer, imported, module string, prefixes []string) bool {
	if strings.HasPrefix(imported, module) {
		for _, prefix := range prefixes {
			if imported == prefix || strings.HasPrefix(imported, prefix+"/") {
				return true
			}
		}
		return false
	}
	standard := !strings.Contains(strings.SplitN(imported, "/", 2)[0], ".")
	return standard || layer != "domain" && layer != "usecase"
}
