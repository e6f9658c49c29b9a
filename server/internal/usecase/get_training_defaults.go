package usecase

import (
	"context"
	"slices"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

// GetTrainingDefaults returns what a form needs.
type GetTrainingDefaults struct{ Trainers *Trainers }

// Run asks the first trainer that can be asked, and adds the devices of the others. While none can, it is the last answer of one. Errors: CodeUnavailable
// when there was never one.
func (u *GetTrainingDefaults) Run(ctx context.Context) (domain.TrainingDefaults, error) {
	up, err := u.Trainers.reachable()
	for _, link := range up {
		var defaults domain.TrainingDefaults
		if defaults, err = link.Trainer.Defaults(ctx); err == nil {
			link.setDefaults(defaults)
			return u.withAllDevices(defaults), nil
		}
		link.hurry()
	}
	for _, link := range u.Trainers.links {
		if last := link.lastDefaults(); last != nil {
			return u.withAllDevices(*last), nil
		}
	}
	return domain.TrainingDefaults{}, err
}

func (u *GetTrainingDefaults) withAllDevices(d domain.TrainingDefaults) domain.TrainingDefaults {
	d.Devices = slices.Clone(d.Devices)
	for _, link := range u.Trainers.links {
		if other := link.lastDefaults(); other != nil {
			for _, device := range other.Devices {
				if !slices.Contains(d.Devices, device) {
					d.Devices = append(d.Devices, device)
				}
			}
		}
	}
	return d
}
