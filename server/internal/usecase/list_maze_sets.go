package usecase

import "github.com/rlmaze/rlmaze/server/internal/domain"

// ListMazeSets returns every committed set, in the catalog's order.
type ListMazeSets struct{ Catalog domain.MazeCatalog }

// Run has no errors.
func (u *ListMazeSets) Run() []domain.MazeSet { return u.Catalog.MazeSets() }
