package trainer_test

import (
	"testing"

	"go.uber.org/goleak"

	"github.com/rlmaze/rlmaze/server/internal/testing/pgtest"
)

func TestMain(m *testing.M) { pgtest.Main(m, func() error { return goleak.Find() }) }
