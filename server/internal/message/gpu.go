package message

import (
	trainingv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/training/v1"
	"github.com/rlmaze/rlmaze/server/internal/domain"
)

var (
	gpuStates = map[domain.GPUState]trainingv1.GpuState{
		domain.GPUOK:         trainingv1.GpuState_GPU_STATE_OK,
		domain.GPUNoDriver:   trainingv1.GpuState_GPU_STATE_NO_DRIVER,
		domain.GPUNone:       trainingv1.GpuState_GPU_STATE_NO_GPU,
		domain.GPUTimedOut:   trainingv1.GpuState_GPU_STATE_TIMED_OUT,
		domain.GPUUnreadable: trainingv1.GpuState_GPU_STATE_UNREADABLE,
	}
	gpuStatesOfContract = inverse(gpuStates)
)

// ToGPUSample maps a reading.
func ToGPUSample(s domain.GPUSample) *trainingv1.GpuSample {
	m := &trainingv1.GpuSample{TakenAt: timestamp(s.TakenAt), State: gpuStates[s.State], Message: s.Message}
	for _, g := range s.GPUs {
		m.Gpus = append(m.Gpus, &trainingv1.Gpu{
			Index:              int32(g.Index),
			Name:               g.Name,
			Utilisation:        g.Utilisation,
			MemoryUsedBytes:    g.MemoryUsedBytes,
			MemoryTotalBytes:   g.MemoryTotalBytes,
			TemperatureCelsius: g.TemperatureCelsius,
			PowerWatts:         g.PowerWatts,
			PowerLimitWatts:    g.PowerLimitWatts,
		})
	}
	return m
}

// FromGPUSample maps a reading.
func FromGPUSample(m *trainingv1.GpuSample) domain.GPUSample {
	s := domain.GPUSample{TakenAt: timeOf(m.GetTakenAt()), State: gpuStatesOfContract[m.GetState()], Message: m.GetMessage()}
	for _, g := range m.GetGpus() {
		s.GPUs = append(s.GPUs, domain.GPU{
			Index:              int(g.GetIndex()),
			Name:               g.GetName(),
			Utilisation:        g.Utilisation,
			MemoryUsedBytes:    g.MemoryUsedBytes,
			MemoryTotalBytes:   g.MemoryTotalBytes,
			TemperatureCelsius: g.TemperatureCelsius,
			PowerWatts:         g.PowerWatts,
			PowerLimitWatts:    g.PowerLimitWatts,
		})
	}
	return s
}
