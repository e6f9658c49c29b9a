package modelfolder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// stagedPrefix begins the names of folders that wait for their place. It makes them no model's: a model_id has no leading dot.
const stagedPrefix = ".staged-"

// keptAside begins the names of broken folders that gave their place to a whole one.
const keptAside = ".broken-"

// staged is a folder beside the models, so that renaming it puts all of its files in place at once.
type staged struct {
	library  *Library
	path     string // empty once it has its place
	manifest *manifest
	placed   string // where it was put; empty before
}

// StageModel implements domain.ModelKeeper. What does not depend on the version is on disk when it returns.
func (l *Library) StageModel(name string, files domain.ModelFiles) (domain.StagedModel, error) {
	f, wrong := readManifest(files.Manifest)
	if wrong != nil {
		return nil, wrong.refused()
	}
	path, err := os.MkdirTemp(l.registered.path, stagedPrefix+name+"-")
	if err != nil {
		return nil, notWritten(err)
	}
	s := &staged{library: l, path: path, manifest: f}
	for file, content := range map[string][]byte{networkFile: files.ONNX, parityFile: files.Parity} {
		if err := writeSynced(filepath.Join(path, file), content); err != nil {
			s.Discard()
			return nil, notWritten(err)
		}
	}
	return s, nil
}

// Place implements domain.StagedModel. The manifest gets the model's id, name and version; then the folder is renamed. A crash at any moment leaves
// either a staged folder, which the next start removes, or the whole model.
func (s *staged) Place(m domain.Model) (domain.Model, error) {
	there, err := s.library.registered.LoadModel(context.Background(), m.ID)
	broken := errors.Is(err, domain.ErrModelBroken)
	if !broken && !errors.Is(err, domain.ErrModelNotFound) {
		return there.Model, err
	}
	if s.path == "" {
		return domain.Model{}, errors.New("the staged model has its place already")
	}
	s.manifest.name(m)
	content, err := json.MarshalIndent(s.manifest, "", "  ")
	if err != nil {
		return domain.Model{}, fmt.Errorf("encode the manifest: %w", err)
	}
	if err := writeSynced(filepath.Join(s.path, manifestFile), append(content, '\n')); err != nil {
		return domain.Model{}, notWritten(err)
	}
	if err := syncFolder(s.path); err != nil {
		return domain.Model{}, notWritten(err)
	}
	place := filepath.Join(s.library.registered.path, m.ID)
	if broken { // it stays for people to look at, under a name that is no model's
		if err := os.Rename(place, filepath.Join(s.library.registered.path, keptAside+filepath.Base(s.path)[len(stagedPrefix):])); err != nil {
			return domain.Model{}, notWritten(err)
		}
	}
	if err := os.Rename(s.path, place); err != nil {
		return domain.Model{}, notWritten(err)
	}
	s.path, s.placed = "", place
	if err := syncFolder(s.library.registered.path); err != nil {
		return domain.Model{}, notWritten(err)
	}
	b, err := s.library.registered.LoadModel(context.Background(), m.ID) // what is registered is what was read from the disk
	return b.Model, err
}

// Withdraw implements domain.StagedModel.
func (s *staged) Withdraw() {
	if s.placed != "" {
		_ = os.RemoveAll(s.placed) // at worst the next start registers a model whose caller was told otherwise
		s.placed = ""
	}
}

// Discard implements domain.StagedModel.
func (s *staged) Discard() {
	if s.path != "" {
		_ = os.RemoveAll(s.path) // at worst the next start removes it
		s.path = ""
	}
}

// writeSynced writes a file and waits until the disk has it.
func writeSynced(path string, content []byte) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(content)
	return errors.Join(err, file.Sync(), file.Close())
}

// syncFolder makes names of a folder outlive a power cut.
func syncFolder(path string) error {
	folder, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(folder.Sync(), folder.Close())
}

// notWritten says why files could not be kept, without their paths.
func notWritten(err error) *domain.Error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return &domain.Error{Code: domain.CodeResourceExhausted, Rule: "model.disk_full", Message: "the server's disk is full; free space and register the model again", Cause: err}
	}
	return &domain.Error{Code: domain.CodeUnavailable, Rule: "model.not_kept", Message: "the server can't write its folder of registered models; its log says why", Cause: err}
}
