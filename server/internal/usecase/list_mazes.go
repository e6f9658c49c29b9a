package usecase

import (
	"encoding/base64"
	"strconv"
	"strings"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// Page sizes of ListMazes.
const (
	defaultMazePage = 50
	largestMazePage = 200
)

// ListMazes returns the mazes of one set, page by page.
type ListMazes struct{ Catalog domain.MazeCatalog }

// ListMazesInput asks for one page; the zero Difficulty keeps all.
type ListMazesInput struct {
	SetID      string
	PageSize   int // 0 means 50
	PageToken  string
	Difficulty domain.Difficulty
}

// ListMazesOutput is one page; NextPageToken is empty on the last one.
type ListMazesOutput struct {
	Mazes         []*domain.Maze
	NextPageToken string
}

// Run returns ErrMazeSetNotFound, or CodeInvalidArgument on "page_size" or "page_token".
func (u *ListMazes) Run(in ListMazesInput) (ListMazesOutput, error) {
	set, ok := findMazeSet(u.Catalog, in.SetID)
	if !ok {
		return ListMazesOutput{}, domain.ErrMazeSetNotFound
	}
	if in.PageSize < 0 || in.PageSize > largestMazePage {
		return ListMazesOutput{}, &domain.Error{Code: domain.CodeInvalidArgument, Field: "page_size", Rule: "page_size.range", Message: "page_size must be 0 (the default, 50) or between 1 and 200"}
	}
	from := 0
	if in.PageToken != "" {
		if from, ok = parsePageToken(in); !ok || from <= 0 || from >= len(set.Mazes) {
			return ListMazesOutput{}, &domain.Error{Code: domain.CodeInvalidArgument, Field: "page_token", Rule: "page_token.unknown", Message: "page_token is not one of this listing; leave it empty to start at the first page"}
		}
	}
	size := in.PageSize
	if size == 0 {
		size = defaultMazePage
	}
	out := ListMazesOutput{Mazes: make([]*domain.Maze, 0, size)}
	for i := from; i < len(set.Mazes); i++ {
		m := set.Mazes[i]
		if in.Difficulty != domain.DifficultyAny && m.Difficulty() != in.Difficulty {
			continue
		}
		if len(out.Mazes) == size {
			out.NextPageToken = pageToken(in, i)
			break
		}
		out.Mazes = append(out.Mazes, m)
	}
	return out, nil
}

func findMazeSet(catalog domain.MazeCatalog, id string) (domain.MazeSet, bool) {
	for _, set := range catalog.MazeSets() {
		if set.ID == id {
			return set, true
		}
	}
	return domain.MazeSet{}, false
}

// A page token names the listing and the position where it goes on, so that it can't be carried into another listing by mistake.
func pageToken(in ListMazesInput, from int) string {
	return base64.RawURLEncoding.EncodeToString([]byte(in.SetID + " " + strconv.Itoa(int(in.Difficulty)) + " " + strconv.Itoa(from)))
}

func parsePageToken(in ListMazesInput) (from int, ok bool) {
	b, err := base64.RawURLEncoding.DecodeString(in.PageToken)
	if err != nil {
		return 0, false
	}
	position := b[strings.LastIndexByte(string(b), ' ')+1:]
	from, err = strconv.Atoi(string(position))
	return from, err == nil && pageToken(in, from) == in.PageToken
}
