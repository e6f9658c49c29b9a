package httpapi

import (
	"errors"
	"math"
	"net/http"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"time"

	"connectrpc.com/connect"
	"golang.org/x/time/rate"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/protobuf/types/known/durationpb"

	"github.com/rlmaze/rlmaze/server/internal/interface/access"
)

// The limits of one address, as the metrics name them.
const (
	LimitRequests = "requests"
	LimitStreams  = "streams"
)

const (
	// mostAddresses are remembered apart, some 20 MB. More come only with an attack from as many; all newcomers share one bucket then.
	mostAddresses = 1 << 16
	// sweepEvery is how often those are forgotten who have used nothing of late.
	sweepEvery = time.Minute
	// streamRetry is when to ask again for a stream that was one too many: when the caller has closed another, which nobody can foretell.
	streamRetry = 5 * time.Second
	// subnetBits of an IPv6 address are one customer; the rest is theirs to choose.
	subnetBits = 64
)

// AddressLimits say what one address may ask of the public listener. Loopback addresses, this machine's own, are not limited.
type AddressLimits struct {
	Requests int            // a minute, streams among them; 0 is any number
	Burst    int            // at once, of those; at least 1 where Requests is not 0
	Streams  int            // open at one time, by Connect, gRPC and WebSocket together; 0 is any number
	Proxies  []netip.Prefix // who may say by X-Forwarded-For for whom they ask
	Now      func() time.Time
	Report   func(limit string) // is told of each refusal; may be nil
}

// addressLimiter counts what addresses use. It is safe for concurrent use.
type addressLimiter struct {
	AddressLimits

	mu       sync.Mutex
	visitors map[netip.Addr]*visitor
	crowd    *visitor // of those who came when there was no room to tell them apart
	swept    time.Time
}

// visitor is what one address uses; guarded by the limiter's mu.
type visitor struct {
	bucket  *rate.Limiter
	streams int
}

func newAddressLimiter(limits AddressLimits) *addressLimiter {
	if limits.Now == nil {
		limits.Now = time.Now
	}
	l := &addressLimiter{AddressLimits: limits, visitors: map[netip.Addr]*visitor{}, swept: limits.Now()}
	l.crowd = l.newVisitor()
	return l
}

func (l *addressLimiter) newVisitor() *visitor {
	return &visitor{bucket: rate.NewLimiter(rate.Limit(float64(l.Requests)/time.Minute.Seconds()), l.Burst)}
}

// limit refuses what is too much for one address; the others do not notice.
func (l *addressLimiter) limit(next http.Handler, streams map[string]bool, refusal *connect.ErrorWriter) http.Handler {
	if l.Requests == 0 && l.Streams == 0 {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		address := l.client(r)
		if isProbe(r.URL.Path) || address.IsLoopback() {
			next.ServeHTTP(w, r)
			return
		}
		if wait := l.ask(address); wait > 0 {
			l.refuse(w, r, refusal, LimitRequests, wait, "this address asks too much; it may ask "+strconv.Itoa(l.Requests)+" times a minute")
			return
		}
		if !streams[r.URL.Path] {
			next.ServeHTTP(w, r)
			return
		}
		leave, ok := l.open(address)
		if !ok {
			l.refuse(w, r, refusal, LimitStreams, streamRetry, "this address holds "+strconv.Itoa(l.Streams)+" streams, which is as many as one may; close some of them")
			return
		}
		defer leave()
		next.ServeHTTP(w, r)
	})
}

// ask takes a request of the address; else it says in what time there will be one.
func (l *addressLimiter) ask(address netip.Addr) (wait time.Duration) {
	if l.Requests == 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.Now()
	reserved := l.find(address, now).bucket.ReserveN(now, 1)
	wait = reserved.DelayFrom(now)
	if wait > 0 {
		reserved.CancelAt(now)
	}
	return wait
}

// open takes a place for a stream, which leave gives back; to be called once.
func (l *addressLimiter) open(address netip.Addr) (leave func(), ok bool) {
	if l.Streams == 0 {
		return func() {}, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	v := l.find(address, l.Now())
	if v.streams >= l.Streams {
		return nil, false
	}
	v.streams++
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		v.streams--
	}, true
}

// find returns the address's visitor; the caller holds mu.
func (l *addressLimiter) find(address netip.Addr, now time.Time) *visitor {
	if v := l.visitors[address]; v != nil {
		return v
	}
	if now.Sub(l.swept) >= sweepEvery {
		l.sweep(now)
	}
	if len(l.visitors) >= mostAddresses {
		return l.crowd
	}
	v := l.newVisitor()
	l.visitors[address] = v
	return v
}

// sweep forgets who holds no stream and has a full bucket: a new one would be the same.
func (l *addressLimiter) sweep(now time.Time) {
	l.swept = now
	for address, v := range l.visitors {
		if v.streams == 0 && v.bucket.TokensAt(now) >= float64(l.Burst) {
			delete(l.visitors, address)
		}
	}
}

// client is the address that asks: the peer's, or, where that is a proxy of ours, the nearest one in X-Forwarded-For that is none. What stands
// before that was written by the client, who may write anything. Of an IPv6 address it is the subnet.
func (l *addressLimiter) client(r *http.Request) netip.Addr {
	peer, _ := netip.ParseAddrPort(r.RemoteAddr) // net/http writes it
	address := peer.Addr().Unmap().WithZone("")
	forwarded := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(forwarded) - 1; i >= 0 && l.isProxy(address); i-- {
		before, ok := parseForwarded(strings.TrimSpace(forwarded[i]))
		if !ok {
			break
		}
		address = before
	}
	if address.Is6() && !address.IsLoopback() {
		if subnet, err := address.Prefix(subnetBits); err == nil {
			address = subnet.Addr()
		}
	}
	return address
}

// parseForwarded reads an entry of X-Forwarded-For, with or without a port.
func parseForwarded(entry string) (netip.Addr, bool) {
	address, err := netip.ParseAddr(strings.Trim(entry, "[]"))
	if err != nil {
		withPort, err := netip.ParseAddrPort(entry)
		if err != nil {
			return netip.Addr{}, false
		}
		address = withPort.Addr()
	}
	return address.Unmap().WithZone(""), true
}

func (l *addressLimiter) isProxy(address netip.Addr) bool {
	for _, proxy := range l.Proxies {
		if proxy.Contains(address) {
			return true
		}
	}
	return false
}

// refuse answers resource_exhausted, with the time after which to try again in Retry-After, in whole seconds, and in a google.rpc.RetryInfo.
func (l *addressLimiter) refuse(w http.ResponseWriter, r *http.Request, refusal *connect.ErrorWriter, limit string, wait time.Duration, message string) {
	if l.Report != nil {
		l.Report(limit)
	}
	seconds := int(math.Ceil(wait.Seconds()))
	message += ", and may try again in " + strconv.Itoa(seconds) + " s"
	w.Header().Set("Retry-After", strconv.Itoa(seconds))
	access.FromContext(r.Context()).Code = connect.CodeResourceExhausted.String()
	if !refusal.IsSupported(r) {
		http.Error(w, message, http.StatusTooManyRequests)
		return
	}
	failure := connect.NewError(connect.CodeResourceExhausted, errors.New(message))
	if detail, err := connect.NewErrorDetail(&errdetails.RetryInfo{RetryDelay: durationpb.New(wait)}); err == nil {
		failure.AddDetail(detail)
	}
	_ = refusal.Write(w, r, failure) // The caller left if this fails.
}
