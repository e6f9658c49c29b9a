package modelfolder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Library holds the shipped models, which are only read, and beside them the registered ones, which it keeps in a folder of its own.
type Library struct {
	shipped    *Store
	registered *Store
}

// OpenLibrary makes the folder of the registered models where it is missing, and removes what an earlier process staged and never placed. One
// process at a time uses the folder.
func OpenLibrary(shipped, registered string) (*Library, error) {
	if err := os.MkdirAll(registered, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of registered models: %w", err)
	}
	entries, err := os.ReadDir(registered)
	if err != nil {
		return nil, fmt.Errorf("read the folder of registered models: %w", err)
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), stagedPrefix) {
			if err := os.RemoveAll(filepath.Join(registered, e.Name())); err != nil {
				return nil, fmt.Errorf("remove what was staged in the folder of registered models: %w", err)
			}
		}
	}
	return &Library{shipped: New(shipped), registered: &Store{path: registered, origin: domain.ModelOriginRegistered}}, nil
}

// ScanModels implements domain.ModelStore. A registered model hides a shipped one that took its id later: a registered version stays what it is.
func (l *Library) ScanModels(ctx context.Context) ([]domain.ModelBundle, error) {
	bundles, err := l.registered.ScanModels(ctx)
	if err != nil {
		return nil, err
	}
	taken := make(map[string]bool, len(bundles))
	for _, b := range bundles {
		taken[b.Model.ID] = true
	}
	shipped, err := l.shipped.ScanModels(ctx)
	for _, b := range shipped {
		if !taken[b.Model.ID] {
			bundles = append(bundles, b)
		}
	}
	return bundles, err
}

// LoadModel implements domain.ModelStore.
func (l *Library) LoadModel(ctx context.Context, id string) (domain.ModelBundle, error) {
	b, err := l.registered.LoadModel(ctx, id)
	if errors.Is(err, domain.ErrModelNotFound) || errors.Is(err, fs.ErrNotExist) && domain.CodeOf(err) == domain.CodeUnavailable {
		return l.shipped.LoadModel(ctx, id)
	}
	return b, err
}

// DefaultModelID implements domain.ModelStore: what ships names the default.
func (l *Library) DefaultModelID(ctx context.Context) (string, error) {
	return l.shipped.DefaultModelID(ctx)
}

// NameShipped implements domain.ModelKeeper.
func (l *Library) NameShipped(name string) (bool, error) {
	entries, err := os.ReadDir(l.shipped.path)
	if err != nil {
		return false, domain.Unavailable("the model folder", err)
	}
	for _, e := range entries {
		if e.IsDir() && validID(e.Name()) && named(e.Name()).Name == name {
			return true, nil
		}
	}
	return false, nil
}

// ReadModel implements domain.ModelKeeper.
func (l *Library) ReadModel(name string, files domain.ModelFiles) (domain.ModelBundle, error) {
	f, wrong := readManifest(files.Manifest)
	if wrong != nil {
		return domain.ModelBundle{}, wrong.refused()
	}
	b := domain.ModelBundle{Model: named(name + "-1")}
	f.name(b.Model)
	if wrong = f.fill(&b.Model); wrong == nil {
		wrong = f.checkNetwork(files.ONNX)
	}
	if wrong != nil {
		return domain.ModelBundle{}, wrong.refused()
	}
	vectors, wrong := readParity(files.Parity)
	if wrong != nil {
		return domain.ModelBundle{}, wrong.refused()
	}
	b.Model.Origin = domain.ModelOriginRegistered
	b.ONNX, b.Parity = files.ONNX, vectors
	return b, nil
}

// name writes the model's id, name and version into the manifest.
func (f *manifest) name(m domain.Model) { f.ModelID, f.Name, f.Version = m.ID, m.Name, m.Version }
