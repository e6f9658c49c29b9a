package repositorytools

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

func TestTheNearestFolderUpwardsIsTaken(t *testing.T) {
	root, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	// A folder whose name is a pattern must mean itself.
	inner := filepath.Join(root, "a[b]*", "deep", "er")
	for _, folder := range []string{inner, filepath.Join(root, ".tools", "v1"), filepath.Join(root, ".tools", "v2"), filepath.Join(root, "a[b]*", ".tools", "v3")} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	t.Chdir(inner)
	if got, want := Find(".tools/v*"), []string{filepath.Join(root, "a[b]*", ".tools", "v3")}; !slices.Equal(got, want) {
		t.Errorf("found %q, want %q", got, want)
	}
	t.Chdir(root)
	if got := Find(".tools/v*"); len(got) != 2 {
		t.Errorf("found %q", got)
	}
	if got := Find(".tools/none-of-these-*"); got != nil {
		t.Errorf("found %q", got)
	}
}
