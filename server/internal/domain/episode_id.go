package domain

import (
	"encoding/hex"
	"time"
)

// EpisodeIDWindow is how far the time inside an episode_id may lie from the server's clock.
const EpisodeIDWindow = 24 * time.Hour

// NewEpisodeID makes a UUIDv7 from a time and ten random bytes.
func NewEpisodeID(now time.Time, random [10]byte) string {
	var b [16]byte
	ms := uint64(now.UnixMilli())
	for i := range 6 {
		b[i] = byte(ms >> (40 - 8*i))
	}
	copy(b[6:], random[:])
	b[6] = b[6]&0x0f | 0x70
	b[8] = b[8]&0x3f | 0x80
	return formatUUID(b)
}

func formatUUID(b [16]byte) string {
	var s [36]byte
	hex.Encode(s[0:8], b[0:4])
	s[8] = '-'
	hex.Encode(s[9:13], b[4:6])
	s[13] = '-'
	hex.Encode(s[14:18], b[6:8])
	s[18] = '-'
	hex.Encode(s[19:23], b[8:10])
	s[23] = '-'
	hex.Encode(s[24:36], b[10:16])
	return string(s[:])
}

// parseEpisodeID returns the bytes of a lower-case UUIDv7.
func parseEpisodeID(id string) (b [16]byte, ok bool) {
	if len(id) != 36 {
		return b, false
	}
	digits := make([]byte, 0, 32)
	for i := range len(id) {
		switch c := id[i]; {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return b, false
			}
		case c >= '0' && c <= '9' || c >= 'a' && c <= 'f':
			digits = append(digits, c)
		default:
			return b, false
		}
	}
	if len(digits) != 32 {
		return b, false
	}
	if _, err := hex.Decode(b[:], digits); err != nil {
		return b, false
	}
	return b, b[6]>>4 == 7 && b[8]>>6 == 2
}

// CheckEpisodeID requires a lower-case UUIDv7 whose time is near now. The error is CodeInvalidArgument with rule "episode_id.uuid" or "episode_id.time".
func CheckEpisodeID(id string, now time.Time) error {
	b, ok := parseEpisodeID(id)
	if !ok {
		return &Error{Code: CodeInvalidArgument, Field: "episode_id", Rule: "episode_id.uuid", Message: "episode_id must be a lower-case UUIDv7, or empty to let the server pick one"}
	}
	if age := now.Sub(timeOf(b)); age > EpisodeIDWindow || age < -EpisodeIDWindow {
		return &Error{Code: CodeInvalidArgument, Field: "episode_id", Rule: "episode_id.time", Message: "the time inside episode_id is more than 24 hours away from the server's clock; take a new UUIDv7"}
	}
	return nil
}

// EpisodeIDAge is how far the time inside a checked episode_id lies from now, in either direction.
func EpisodeIDAge(id string, now time.Time) time.Duration {
	b, _ := parseEpisodeID(id)
	return now.Sub(timeOf(b)).Abs()
}

func timeOf(b [16]byte) time.Time {
	var ms int64
	for _, octet := range b[:6] {
		ms = ms<<8 | int64(octet)
	}
	return time.UnixMilli(ms)
}
