package app

import (
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"strings"
)

// TrainerAddress is one entry of TRAINER_URL.
type TrainerAddress struct {
	Name string // as GetStatus tells it
	URL  string
}

// mostTrainers keeps a slip of a comma from becoming a hundred connections.
const mostTrainers = 32

var trainerName = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// readTrainers reads "http://host:port" or "name=http://host:port", separated by commas. Who has no name is trainer, trainer-2 and so on, by place.
func readTrainers(text string) ([]TrainerAddress, error) {
	var trainers []TrainerAddress
	taken := map[string]bool{}
	for entry := range strings.SplitSeq(text, ",") {
		entry = strings.TrimSuffix(strings.TrimSpace(entry), "/")
		if entry == "" {
			continue
		}
		name, address, named := strings.Cut(entry, "=")
		if !named {
			name, address = "trainer", entry
			if n := len(trainers) + 1; n > 1 {
				name = fmt.Sprintf("trainer-%d", n)
			}
		}
		u, err := url.Parse(address)
		if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" || u.Path != "" || u.RawQuery != "" || u.User != nil {
			return nil, errors.New("holds an entry that is no address of a trainer; want http://host:8090 or name=http://host:8090, separated by commas")
		}
		if !trainerName.MatchString(name) {
			return nil, fmt.Errorf("names a trainer %q, want small letters, digits and hyphens, 32 at most", name)
		}
		if taken[name] || name == "mlflow" {
			return nil, fmt.Errorf("has two services of the name %q", name)
		}
		taken[name] = true
		trainers = append(trainers, TrainerAddress{Name: name, URL: address})
	}
	if len(trainers) > mostTrainers {
		return nil, fmt.Errorf("names %d trainers, want at most %d", len(trainers), mostTrainers)
	}
	return trainers, nil
}
