package mongo

import (
	"testing"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
)

func TestADocumentsDayIsThatOfItsEndInUTC(t *testing.T) {
	kathmandu := time.FixedZone("", 5*3600+45*60)
	for at, want := range map[time.Time]string{
		time.Date(2026, 11, 23, 23, 59, 59, 999000000, time.UTC): "2026-11-23",
		time.Date(2026, 11, 24, 0, 0, 0, 0, time.UTC):            "2026-11-24",
		time.Date(2026, 11, 24, 1, 0, 0, 0, kathmandu):           "2026-11-23",
	} {
		if got := documentFromRecord(domain.EpisodeRecord{Timestamp: at}).Day; got != want {
			t.Errorf("%s is of %s, want %s", at, got, want)
		}
	}
}
