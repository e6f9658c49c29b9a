// Command load asks a server for episodes, or watches it live, and reports what that cost: it is the load generator of the benchmarks
// episode and live-fan-out. The same program drives our server and the Python peer, so both are measured by one clock and one client.
//
// It talks to loopback addresses only, for a bounded time, and prints one JSON object.
package main

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"net"
	"net/url"
	"os"
	"time"
)

// settings are the flags of both commands.
type settings struct {
	target   string // "rlmaze" or "peer"
	url      string
	pid      int // of the server, whose CPU time is read from /proc
	protocol string
	warmUp   time.Duration
	window   time.Duration
	set      string // of mazes, taken in turn
	route    string // of the peer

	clients int // episodes

	viewers        int // viewers
	stepsPerSecond float64
	shareMs        int
}

// Bounds that keep a slip of the finger from becoming an attack on the machine.
const (
	maxViewers = 5000
	maxWindow  = 10 * time.Minute
)

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "load:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) == 0 {
		return fmt.Errorf("want a command: episodes or viewers")
	}
	var s settings
	flags := flag.NewFlagSet("load "+arguments[0], flag.ContinueOnError)
	flags.StringVar(&s.target, "target", "rlmaze", "what is asked: rlmaze or peer")
	flags.StringVar(&s.url, "url", "http://127.0.0.1:8080", "address of the server; loopback only")
	flags.IntVar(&s.pid, "pid", 0, "process id of the server, for its CPU time; 0 leaves it out")
	flags.StringVar(&s.protocol, "protocol", "http1", "transport to rlmaze: http1, h2c or websocket")
	flags.DurationVar(&s.warmUp, "warm-up", 2*time.Second, "time before the measurement")
	flags.DurationVar(&s.window, "window", 8*time.Second, "time of the measurement")
	flags.StringVar(&s.set, "set", "heldout", "committed maze set; its mazes are taken in turn")
	flags.IntVar(&s.clients, "clients", 1, "episodes: how many are asked for at once")
	flags.StringVar(&s.route, "peer-route", "", "the peer's route; episodes: /act (default) or /act.typed with JSON, /act.raw with float32 bytes; viewers: /ws (default) or /ws.shared-clock")
	flags.IntVar(&s.viewers, "viewers", 200, "viewers: how many watch, each an episode of its own")
	flags.Float64Var(&s.stepsPerSecond, "steps-per-second", 30, "viewers: pace of each episode")
	flags.IntVar(&s.shareMs, "share-ms", 0, "viewers: steps of so many milliseconds may share a message")
	if err := flags.Parse(arguments[1:]); err != nil {
		return err
	}
	if err := s.check(); err != nil {
		return err
	}
	var report any
	var err error
	switch arguments[0] {
	case "episodes":
		s.route = cmp.Or(s.route, "/act")
		report, err = runEpisodes(ctx, s)
	case "viewers":
		s.route = cmp.Or(s.route, "/ws")
		report, err = runViewers(ctx, s)
	default:
		return fmt.Errorf("unknown command %q; want episodes or viewers", arguments[0])
	}
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(report)
}

func (s settings) check() error {
	address, err := url.Parse(s.url)
	if err != nil {
		return err
	}
	if ip := net.ParseIP(address.Hostname()); address.Hostname() != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return fmt.Errorf("url: %q is not on this machine; load goes to loopback addresses only", s.url)
	}
	if s.target != "rlmaze" && s.target != "peer" {
		return fmt.Errorf("target: %q; want rlmaze or peer", s.target)
	}
	if s.protocol != "http1" && s.protocol != "h2c" && s.protocol != "websocket" {
		return fmt.Errorf("protocol: %q; want http1, h2c or websocket", s.protocol)
	}
	if s.viewers < 1 || s.viewers > maxViewers || s.clients < 1 || s.clients > maxViewers {
		return fmt.Errorf("viewers and clients: want 1 to %d", maxViewers)
	}
	if s.window <= 0 || s.window > maxWindow || s.warmUp < 0 || s.warmUp > maxWindow {
		return fmt.Errorf("window and warm-up: want up to %v", maxWindow)
	}
	return nil
}
