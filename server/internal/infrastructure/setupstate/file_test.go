package setupstate

import (
	"os"
	"path/filepath"
	"testing"
)

func TestTheWordsOfTheInstallerAreRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "setup.json")
	content := `{"trainer": {"message": "Installing PyTorch, 41 of 130 packages", "progress": 0.41}, "mlflow": {"message": "the disk is full", "failed": true}, "odd": {"progress": 7}}`
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	file := New(path)
	if p, known := file.Preparation("trainer"); !known || p.Message != "Installing PyTorch, 41 of 130 packages" || p.Progress == nil || *p.Progress != 0.41 || p.Failed {
		t.Errorf("trainer: %+v, %v", p, known)
	}
	if p, known := file.Preparation("mlflow"); !known || !p.Failed || p.Progress != nil {
		t.Errorf("mlflow: %+v, %v", p, known)
	}
	if p, known := file.Preparation("odd"); !known || p.Progress != nil {
		t.Errorf("a progress beyond 1 is shown: %+v, %v", p, known)
	}
	if _, known := file.Preparation("trainer-2"); known {
		t.Error("a service of which nothing is said is being prepared")
	}
}

func TestAFileThatIsMissingOrBrokenSaysNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "setup.json")
	for _, name := range []string{"", path} {
		if _, known := New(name).Preparation("trainer"); known {
			t.Errorf("%q says something", name)
		}
	}
	if err := os.WriteFile(path, []byte(`{"trainer": {"mess`), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, known := New(path).Preparation("trainer"); known {
		t.Error("half a file says something")
	}
}
