package httpapi

import (
	"encoding/binary"
	"net/netip"
	"testing"
	"time"
)

func numbered(n int) netip.Addr {
	var b [4]byte
	binary.BigEndian.PutUint32(b[:], uint32(n)+1<<30)
	return netip.AddrFrom4(b)
}

func TestAddressesAreForgottenWhenTheyHaveUsedNothingOfLate(t *testing.T) {
	now := time.Unix(1_790_000_000, 0)
	l := newAddressLimiter(AddressLimits{Requests: 60, Burst: 5, Streams: 1, Now: func() time.Time { return now }})
	leave, ok := l.open(numbered(0))
	if !ok {
		t.Fatal("the first stream was refused")
	}
	for n := range 2 * mostAddresses {
		l.ask(numbered(n))
	}
	if len(l.visitors) != mostAddresses {
		t.Errorf("%d addresses are remembered, want at most %d", len(l.visitors), mostAddresses)
	}
	if l.ask(numbered(mostAddresses)) == 0 {
		t.Error("those for whom there was no room have more than one bucket together")
	}
	now = now.Add(sweepEvery)
	if l.ask(numbered(3*mostAddresses)) != 0 {
		t.Error("a newcomer was refused after the sweep")
	}
	if len(l.visitors) != 2 {
		t.Errorf("%d addresses are remembered, want the newcomer and the one that holds a stream", len(l.visitors))
	}
	if _, ok := l.open(numbered(0)); ok {
		t.Error("the sweep forgot an open stream")
	}
	leave()
	if _, ok := l.open(numbered(0)); !ok {
		t.Error("the place of a stream that ended was not given back")
	}
}
