package mlflow

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"
	"time"
)

// number is a value of a metric. MLflow writes what is not finite as text ("NaN", "Infinity"), and null for none.
type number float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *number) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	switch text {
	case "null", "":
		*n = number(math.NaN())
		return nil
	}
	value, err := strconv.ParseFloat(text, 64) // takes NaN, Infinity and -Infinity
	if err != nil && !isRange(err) {
		return fmt.Errorf("%.40s is no number", raw)
	}
	*n = number(value)
	return nil
}

// integer is a count, a step or a time in milliseconds; MLflow writes some of them as text.
type integer int64

// UnmarshalJSON implements json.Unmarshaler.
func (n *integer) UnmarshalJSON(raw []byte) error {
	text := strings.Trim(string(raw), `"`)
	if text == "null" || text == "" {
		*n = 0
		return nil
	}
	if value, err := strconv.ParseInt(text, 10, 64); err == nil {
		*n = integer(value)
		return nil
	}
	value, err := strconv.ParseFloat(text, 64)
	if err != nil || math.IsNaN(value) || math.Abs(value) >= 1<<63 {
		return fmt.Errorf("%.40s is no whole number", raw)
	}
	*n = integer(value)
	return nil
}

// time reads milliseconds since 1970; none is the zero time.
func (n integer) time() time.Time {
	if n <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(int64(n)).UTC()
}

func isRange(err error) bool {
	numeric, ok := err.(*strconv.NumError) //nolint:errorlint // strconv returns it bare
	return ok && numeric.Err == strconv.ErrRange
}

var (
	_ json.Unmarshaler = (*number)(nil)
	_ json.Unmarshaler = (*integer)(nil)
)
