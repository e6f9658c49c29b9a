package domain

import "math"

// ActionsDigest is the 64-bit FNV-1a hash over one byte an action.
func ActionsDigest(actions []byte) uint64 {
	digest := uint64(14695981039346656037)
	for _, a := range actions {
		digest ^= uint64(a)
		digest *= 1099511628211
	}
	return digest
}

// Wilson95 is the 95 % Wilson score interval of successes among n trials; [0, 1] when there were none.
func Wilson95(successes, n int) (low, high float64) {
	if n == 0 {
		return 0, 1
	}
	const z = 1.959963984540054 // the 97.5th percentile of the normal distribution
	count, rate := float64(n), float64(successes)/float64(n)
	centre := rate + z*z/(2*count)
	spread := z * math.Sqrt(rate*(1-rate)/count+z*z/(4*count*count))
	scale := 1 + z*z/count
	return max(0, (centre-spread)/scale), min(1, (centre+spread)/scale)
}

// Rate is the share of successes, 0–1.
func (r SuccessRate) Rate() float64 {
	if r.Episodes == 0 {
		return 0
	}
	return float64(r.Successes) / float64(r.Episodes)
}
