// Package embeddedpostgres runs a real PostgreSQL as a child process, so that the product starts with nothing prepared.
// It looks after the process, its folder and its end, and restarts it when it dies. What stands in the databases is not its matter:
// the rest of the code gets an address and can't tell the difference.
package embeddedpostgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

// ErrFolderInUse: a living server holds the data folder. Two PostgreSQL on one folder would destroy it.
var ErrFolderInUse = errors.New("another server runs on this data folder")

const (
	owner = "rlmaze" // the one role, superuser of its own cluster
	port  = "5432"   // only part of the socket's name; nothing listens on TCP

	lockPatience    = time.Second      // an instance that was stopped a moment ago may still hold the lock
	orphanPatience  = 10 * time.Second // a PostgreSQL whose server was killed is shutting down and writes its last pages
	startPatience   = 60 * time.Second // after a crash PostgreSQL replays its log before it accepts connections
	fastStop        = 5 * time.Second  // then SIGQUIT, which loses nothing either but makes the next start replay the log
	immediateStop   = time.Second      // then SIGKILL
	firstRestart    = 100 * time.Millisecond
	longestRestart  = 2 * time.Second
	readyPoll       = 10 * time.Millisecond
	longestSockPath = 107 // sun_path of Linux less its final NUL
)

// Options says where and with what a server runs.
type Options struct {
	// DataDir is the product's data folder. The cluster is its subfolder postgres, the lock beside it.
	DataDir string
	// Bin is the folder with postgres and initdb; empty looks for one (see findBinaries).
	Bin string
	// Databases are made when they are missing.
	Databases []string
	// Settings are added to PostgreSQL's command line, after this package's own.
	Settings []string
	// Logger gets what PostgreSQL says, on level debug, and restarts as warnings.
	Logger *slog.Logger

	// refuseNamespace makes tests take the way of a machine without user namespaces.
	refuseNamespace bool
}

// Server is a running PostgreSQL. One goroutine owns the process; all methods may be called by many goroutines at once.
type Server struct {
	options  Options
	bin      string
	cluster  string // the data folder of PostgreSQL
	sockets  string // 0700: whoever may enter it may connect
	tempSock bool
	identity identity
	lock     *os.File
	output   *lineLog

	stop     chan struct{} // closed by Stop
	stopOnce sync.Once
	done     chan struct{} // closed when the process is gone for good

	mu      sync.Mutex
	process *os.Process // nil while there is none
}

// Start makes the cluster when there is none, starts PostgreSQL and returns when it accepts connections. About a second the first
// time, a tenth later. ctx bounds the start only. ErrFolderInUse when another server runs on the folder.
func Start(ctx context.Context, options Options) (*Server, error) {
	if options.Logger == nil {
		options.Logger = slog.New(slog.DiscardHandler)
	}
	dataDir, err := filepath.Abs(options.DataDir)
	if err != nil {
		return nil, fmt.Errorf("resolve data folder: %w", err)
	}
	options.DataDir = dataDir
	if err := os.MkdirAll(dataDir, 0o700); err != nil {
		return nil, fmt.Errorf("make data folder: %w", err)
	}
	bin, err := findBinaries(options.Bin)
	if err != nil {
		return nil, err
	}
	s := &Server{options: options, bin: bin, output: &lineLog{logger: options.Logger}, stop: make(chan struct{}), done: make(chan struct{})}
	if s.lock, err = lockFolder(ctx, dataDir); err != nil {
		return nil, err
	}
	if err := s.start(ctx); err != nil {
		s.removeSockets()
		_ = s.lock.Close()
		return nil, err
	}
	return s, nil
}

func (s *Server) start(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	ready := make(chan error, 1)
	go s.supervise(ready)
	select {
	case err := <-ready:
		if err != nil {
			<-s.done
			return err
		}
	case <-ctx.Done():
		s.endProcess()
		return fmt.Errorf("start PostgreSQL: %w", ctx.Err())
	}
	if err := s.createDatabases(ctx); err != nil {
		s.endProcess()
		return err
	}
	return nil
}

// URL returns the address of one database, for pgx.
func (s *Server) URL(database string) string {
	query := url.Values{"host": {s.sockets}, "port": {port}}
	return (&url.URL{Scheme: "postgres", User: url.User(owner), Path: "/" + database, RawQuery: query.Encode()}).String()
}

// SocketFolder is a folder with mode 0700 and a short path, for this and other embedded stores' sockets.
func (s *Server) SocketFolder() string { return s.sockets }

// Pid returns the process id of PostgreSQL, 0 while it is being restarted.
func (s *Server) Pid() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil {
		return 0
	}
	return s.process.Pid
}

// Stop ends PostgreSQL, waits until it is gone and frees the folder. It may be called twice, and returns when all of that is done.
func (s *Server) Stop() {
	s.endProcess()
	s.removeSockets()
	_ = s.lock.Close()
}

func (s *Server) endProcess() {
	s.stopOnce.Do(func() { close(s.stop) })
	<-s.done
}

func (s *Server) removeSockets() {
	if s.tempSock {
		_ = os.RemoveAll(s.sockets)
	}
}

// prepare finds out as whom PostgreSQL can run, and has a cluster and a socket folder ready for it.
func (s *Server) prepare(ctx context.Context) error {
	var err error
	if s.identity, err = chooseIdentity(ctx, s.bin, s.options.refuseNamespace); err != nil {
		return err
	}
	s.cluster = filepath.Join(s.options.DataDir, "postgres")
	if s.identity.drops() {
		if err := s.moveToReachableFolders(); err != nil {
			return err
		}
	}
	if err := endOrphans(ctx, s.cluster, s.options.Logger); err != nil {
		return err
	}
	if err := s.checkOrInitCluster(ctx); err != nil {
		return err
	}
	return s.makeSocketFolder()
}

func (s *Server) checkOrInitCluster(ctx context.Context) error {
	made, err := os.ReadFile(filepath.Join(s.cluster, "PG_VERSION"))
	if errors.Is(err, os.ErrNotExist) {
		return s.initCluster(ctx)
	}
	if err != nil {
		return fmt.Errorf("read the cluster's version: %w", err)
	}
	major, err := binariesMajor(ctx, s.bin)
	if err != nil {
		return err
	}
	if was := strings.TrimSpace(string(made)); was != major {
		return fmt.Errorf("%s was made by PostgreSQL %s, but %s holds PostgreSQL %s: set POSTGRES_BIN to binaries of version %s, or move the folder away to start with an empty one",
			s.cluster, was, s.bin, major, was)
	}
	return s.identity.own(s.cluster)
}

// initCluster works in a folder of another name, so that a start that was cut short leaves no half cluster behind.
func (s *Server) initCluster(ctx context.Context) error {
	unfinished := s.cluster + ".new"
	if err := os.RemoveAll(unfinished); err != nil {
		return fmt.Errorf("remove an unfinished cluster: %w", err)
	}
	if err := os.Mkdir(unfinished, 0o700); err != nil {
		return fmt.Errorf("make the cluster's folder: %w", err)
	}
	if err := s.identity.own(unfinished); err != nil {
		return err
	}
	// trust: the socket's folder is the lock. C and UTF8 sort alike on every machine, and FerretDB accepts no other.
	command := exec.CommandContext(ctx, filepath.Join(s.bin, "initdb"),
		"--pgdata", unfinished, "--username", owner, "--auth", "trust", "--no-locale", "--encoding", "UTF8", "--no-instructions")
	command.Env = environment()
	command.Dir = unfinished
	command.SysProcAttr = s.identity.attributes()
	// The child's death signal is bound to this thread.
	runtime.LockOSThread()
	output, err := command.CombinedOutput()
	runtime.UnlockOSThread()
	if err != nil {
		return fmt.Errorf("run initdb: %w: %s", err, lastLines(string(output)))
	}
	if err := os.Rename(unfinished, s.cluster); err != nil {
		return fmt.Errorf("name the cluster's folder: %w", err)
	}
	return nil
}

func (s *Server) makeSocketFolder() error {
	folder := filepath.Join(s.options.DataDir, "run")
	// The longest name that is put into it is PostgreSQL's lock file beside the socket. A comma separates hosts in
	// addresses, and pgx and net/url disagree on how an address spells a space.
	if !s.identity.drops() && !strings.ContainsAny(folder, `, "`) && len(filepath.Join(folder, ".s.PGSQL."+port+".lock")) < longestSockPath {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return fmt.Errorf("make the socket folder: %w", err)
		}
		s.sockets = folder
		return os.Chmod(folder, 0o700) //nolint:gosec // a folder needs its x bit
	}
	folder, err := os.MkdirTemp("", "rlmaze-")
	if err != nil {
		return fmt.Errorf("make the socket folder: %w", err)
	}
	s.sockets, s.tempSock = folder, true
	return s.identity.own(folder)
}

// supervise owns the process: it starts it, waits for its end and starts it again, until Stop. ready receives the result of the
// first start only; that one is repeated for some seconds when what an earlier PostgreSQL left is in the way.
func (s *Server) supervise(ready chan<- error) {
	defer close(s.done)
	// Pdeathsig fires when the *thread* that forked ends, so this goroutine keeps its thread as long as a child may live.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()

	// The wait for old processes ends with Stop.
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	go func() {
		select {
		case <-s.stop:
		case <-ctx.Done():
		}
		cancel()
	}()

	pause, start := firstRestart, time.Now()
	for {
		began := time.Now()
		ended, err := s.launch()
		if err == nil {
			err = s.awaitReady(ended)
		}
		if waiting := ready != nil; waiting && err == nil {
			ready <- nil
			ready = nil
		} else if waiting && (!s.output.blamesLeftovers() || time.Since(start) > orphanPatience) {
			s.end(ended)
			ready <- err
			return
		}
		if err == nil {
			select {
			case <-s.stop:
				s.end(ended)
				return
			case <-ended:
			}
		} else {
			s.end(ended)
		}
		if time.Since(began) > 10*longestRestart {
			pause = firstRestart
		}
		s.options.Logger.Warn("PostgreSQL ended and is started again", "after", time.Since(began).Round(time.Millisecond), "said", s.output.tail())
		select {
		case <-s.stop:
			return
		case <-time.After(pause):
		}
		pause = min(2*pause, longestRestart)
		// The workers of a postmaster that was killed notice it by themselves; a new one must not start beside them.
		if err := endOrphans(ctx, s.cluster, s.options.Logger); err != nil {
			s.options.Logger.Warn("PostgreSQL's old processes are still there", "error", err)
		}
	}
}

// launch forks PostgreSQL. The channel is closed when it has ended; it is nil with an error.
func (s *Server) launch() (<-chan struct{}, error) {
	args := []string{
		"-D", s.cluster,
		"-c", "listen_addresses=",
		"-c", "port=" + port,
		"-c", `unix_socket_directories="` + s.sockets + `"`,
		"-c", "unix_socket_permissions=0700",
		"-c", "timezone=UTC", "-c", "log_timezone=UTC",
		// Small: the tables are, and the machine is a laptop as likely as not.
		"-c", "shared_buffers=32MB", "-c", "max_connections=100", "-c", "max_wal_size=256MB", "-c", "jit=off",
		// One node without copies needs no more than crash safety from its log, and no extra processes to read its few pages.
		"-c", "wal_level=minimal", "-c", "max_wal_senders=0", "-c", "io_method=sync",
	}
	if major, _ := os.ReadFile(filepath.Join(s.cluster, "PG_VERSION")); strings.TrimSpace(string(major)) < "18" {
		args = args[:len(args)-2] // io_method is new in 18
	}
	for _, setting := range s.options.Settings {
		args = append(args, "-c", setting)
	}
	// Nobody else uses the socket folder, so a lock that stands in it was left by a process that was killed.
	if err := os.Remove(filepath.Join(s.sockets, ".s.PGSQL."+port+".lock")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("remove a stale socket lock: %w", err)
	}
	command := exec.Command(filepath.Join(s.bin, "postgres"), args...)
	command.Env = environment()
	command.Dir = s.cluster
	command.Stdout, command.Stderr = s.output, s.output
	// Workers may hold the pipe a little longer than the postmaster.
	command.WaitDelay = 2 * time.Second
	command.SysProcAttr = s.identity.attributes()
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start PostgreSQL: %w", err)
	}
	s.mu.Lock()
	s.process = command.Process
	s.mu.Unlock()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = command.Wait() // how it ended stands in its own words in the log
		s.mu.Lock()
		s.process = nil
		s.mu.Unlock()
	}()
	return ended, nil
}

// awaitReady polls the line of postmaster.pid in which PostgreSQL says that it accepts connections.
func (s *Server) awaitReady(ended <-chan struct{}) error {
	pid := strconv.Itoa(s.Pid())
	tick := time.NewTicker(readyPoll)
	defer tick.Stop()
	late := time.NewTimer(startPatience)
	defer late.Stop()
	for {
		select {
		case <-ended:
			return fmt.Errorf("PostgreSQL ended at its start: %s", s.output.tail())
		case <-s.stop:
			return errors.New("stopped during the start")
		case <-late.C:
			return fmt.Errorf("PostgreSQL is not ready after %v: %s", startPatience, s.output.tail())
		case <-tick.C:
		}
		content, err := os.ReadFile(filepath.Join(s.cluster, "postmaster.pid"))
		if err != nil {
			continue
		}
		lines := strings.Split(string(content), "\n")
		if len(lines) >= 8 && lines[0] == pid && strings.TrimSpace(lines[7]) == "ready" {
			return nil
		}
	}
}

// end asks PostgreSQL to go, more firmly each time, and returns when it is gone.
func (s *Server) end(ended <-chan struct{}) {
	if ended == nil {
		return
	}
	for _, step := range []struct {
		signal   syscall.Signal
		patience time.Duration
	}{{syscall.SIGINT, fastStop}, {syscall.SIGQUIT, immediateStop}, {syscall.SIGKILL, time.Minute}} {
		s.mu.Lock()
		if s.process != nil {
			_ = s.process.Signal(step.signal)
		}
		s.mu.Unlock()
		select {
		case <-ended:
			return
		case <-time.After(step.patience):
		}
	}
}

func (s *Server) createDatabases(ctx context.Context) error {
	connection, err := pgx.Connect(ctx, s.URL("postgres"))
	if err != nil {
		return fmt.Errorf("connect to the new PostgreSQL: %w", err)
	}
	defer connection.Close(context.WithoutCancel(ctx)) //nolint:errcheck // nothing is left to lose
	for _, name := range s.options.Databases {
		var exists bool
		if err := connection.QueryRow(ctx, "SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)", name).Scan(&exists); err != nil {
			return fmt.Errorf("look for database %s: %w", name, err)
		}
		if exists {
			continue
		}
		if _, err := connection.Exec(ctx, "CREATE DATABASE "+pgx.Identifier{name}.Sanitize()); err != nil {
			return fmt.Errorf("create database %s: %w", name, err)
		}
	}
	return nil
}

// environment is what the child needs and no more: variables such as PGDATA or PGOPTIONS of the caller would change its behaviour.
func environment() []string {
	env := []string{"LC_ALL=C", "TZ=UTC"}
	for _, name := range []string{"PATH", "LD_LIBRARY_PATH", "TMPDIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}
