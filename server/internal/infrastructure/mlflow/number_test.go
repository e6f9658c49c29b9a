package mlflow

import (
	"encoding/json"
	"math"
	"testing"
)

func TestNumbersAreReadInEveryFormThatMLflowWrites(t *testing.T) {
	for text, want := range map[string]float64{
		"1.5": 1.5, `"1.5"`: 1.5, "-3": -3, "1e300": 1e300, `"Infinity"`: math.Inf(1), `"-Infinity"`: math.Inf(-1), "1e400": math.Inf(1), `"NaN"`: math.NaN(), "null": math.NaN(), `""`: math.NaN(),
	} {
		var n number
		if err := json.Unmarshal([]byte(text), &n); err != nil || float64(n) != want && !(math.IsNaN(float64(n)) && math.IsNaN(want)) {
			t.Errorf("%s is read as %v, %v", text, n, err)
		}
	}
	for text, want := range map[string]integer{"17": 17, `"17"`: 17, "1763899200000": 1763899200000, "17.0": 17, "1.7e1": 17, "null": 0, `""`: 0, "-5": -5} {
		var n integer
		if err := json.Unmarshal([]byte(text), &n); err != nil || n != want {
			t.Errorf("%s is read as %v, %v", text, n, err)
		}
	}
	for _, text := range []string{`"many"`, "true", "{}", "[1]"} {
		var n number
		if json.Unmarshal([]byte(text), &n) == nil {
			t.Errorf("%s is a number", text)
		}
		var i integer
		if json.Unmarshal([]byte(text), &i) == nil {
			t.Errorf("%s is a whole number", text)
		}
	}
	for _, text := range []string{`"NaN"`, "1e300"} {
		var i integer
		if json.Unmarshal([]byte(text), &i) == nil {
			t.Errorf("%s is a whole number", text)
		}
	}
}
