package onnx

import "testing"

func TestFiguresCountEveryCallAndRowAndTimeOneLoneCallInEight(t *testing.T) {
	for name, gathers := range map[string]bool{"gathering": true, "each by itself": false} {
		t.Run(name, func(t *testing.T) {
			runtime := openRuntime(t)
			loaded, err := runtime.LoadNetwork(rightFile().write())
			if err != nil {
				t.Fatal(err)
			}
			defer loaded.Close()
			n := loaded.(*network)
			if !gathers {
				n.gatherer = nil
			} else if n.gatherer == nil {
				t.Skip("gathered rows have other bits than single ones on this processor, so nothing is gathered")
			}
			before := runtime.Figures()
			const lone, batch = 4 * aloneRetry, 100
			for range lone {
				if err := n.Infer(make([]float32, 25), make([]float32, 4), make([]float32, 1)); err != nil {
					t.Fatal(err)
				}
			}
			if err := n.Infer(make([]float32, 25*batch), make([]float32, 4*batch), make([]float32, batch)); err != nil {
				t.Fatal(err)
			}
			f := runtime.Figures()
			if f.Calls-before.Calls != lone+1 || f.Rows-before.Rows != lone+batch || f.Sizes[0]-before.Sizes[0] != lone || f.Sizes[7]-before.Sizes[7] != 1 {
				t.Errorf("%+v, before that %+v", f, before)
			}
			var times uint64
			for _, n := range f.Times {
				times += n
			}
			// Gathering times the first call after every seven that did not gather, itself counted among the eight.
			if timed := f.Timed - before.Timed; timed < lone/(aloneRetry+1)+1 || timed > lone/aloneRetry+1 || times > f.Timed || f.Duration <= before.Duration {
				t.Errorf("%d calls were timed, %v in all", f.Timed-before.Timed, f.Duration-before.Duration)
			}
		})
	}
}
