package embeddedpostgres

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"go.uber.org/goleak"
)

// holdEnv makes the test binary a server that starts PostgreSQL in the folder it names, prints its pid and address, and holds on.
const (
	holdEnv = "EMBEDDEDPOSTGRES_TEST_HOLD"
	binEnv  = "EMBEDDEDPOSTGRES_TEST_BIN"
)

func TestMain(m *testing.M) {
	if folder := os.Getenv(holdEnv); folder != "" {
		hold(folder)
	}
	goleak.VerifyTestMain(m)
}

func hold(folder string) {
	server, err := Start(context.Background(), Options{DataDir: folder, Bin: os.Getenv(binEnv), Databases: []string{"held"}})
	if err != nil {
		fmt.Println("failed", err)
		os.Exit(1)
	}
	fmt.Println("ready", server.Pid(), server.URL("held"))
	// The end of stdin is the test's wish to stop in order; a kill needs no wish.
	_, _ = os.Stdin.Read(make([]byte, 1))
	server.Stop()
	fmt.Println("stopped")
	os.Exit(0)
}

func start(t *testing.T, options Options) *Server {
	t.Helper()
	options.Logger = slog.New(slog.NewTextHandler(t.Output(), &slog.HandlerOptions{Level: slog.LevelDebug}))
	server, err := Start(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(server.Stop)
	return server
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = connection.Close(context.Background()) })
	return connection
}

func exec1(t *testing.T, url, sql string) {
	t.Helper()
	connection := connect(t, url)
	if _, err := connection.Exec(t.Context(), sql); err != nil {
		t.Fatal(err)
	}
}

func count(t *testing.T, url string) (n int) {
	t.Helper()
	if err := connect(t, url).QueryRow(t.Context(), "SELECT count(*) FROM kept").Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}

// alive says whether the process exists and is no zombie.
func alive(pid int) bool {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(status), ") Z ")
}

func awaitEnd(t *testing.T, pid int) {
	t.Helper()
	for deadline := time.Now().Add(20 * time.Second); alive(pid); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d still runs", pid)
		}
	}
}

func TestDataSurvivesAStopInOrder(t *testing.T) {
	folder := t.TempDir()
	server := start(t, Options{DataDir: folder, Databases: []string{"rlmaze", "ferretdb"}})
	exec1(t, server.URL("rlmaze"), "CREATE TABLE kept AS SELECT 1")
	exec1(t, server.URL("ferretdb"), "SELECT 1")
	pid := server.Pid()
	server.Stop()
	server.Stop()
	if alive(pid) {
		t.Fatal("PostgreSQL runs on after Stop")
	}
	again := start(t, Options{DataDir: folder, Databases: []string{"rlmaze", "ferretdb"}})
	if n := count(t, again.URL("rlmaze")); n != 1 {
		t.Fatalf("%d rows are left of 1", n)
	}
}

func TestNothingListensOnTCPAndOnlyTheOwnerReachesTheSocket(t *testing.T) {
	server := start(t, Options{DataDir: t.TempDir()})
	var addresses string
	if err := connect(t, server.URL("postgres")).QueryRow(t.Context(), "SHOW listen_addresses").Scan(&addresses); err != nil || addresses != "" {
		t.Fatalf("listen_addresses = %q, %v", addresses, err)
	}
	folder, err := os.Stat(server.SocketFolder())
	if err != nil || folder.Mode().Perm() != 0o700 {
		t.Fatalf("socket folder: %v, %v", folder.Mode(), err)
	}
}

func TestADataFolderMayHaveAnyName(t *testing.T) {
	folder := filepath.Join(t.TempDir(), `it's 100% "a", b=c`)
	server := start(t, Options{DataDir: folder, Databases: []string{"rlmaze"}})
	connect(t, server.URL("rlmaze"))
	server.Stop()
	plain := start(t, Options{DataDir: filepath.Join(t.TempDir(), "迷路+100%&c"), Databases: []string{"rlmaze"}})
	connect(t, plain.URL("rlmaze"))
}

func TestALongDataFolderGetsAShortSocketPath(t *testing.T) {
	folder := filepath.Join(t.TempDir(), strings.Repeat("long", 30))
	server := start(t, Options{DataDir: folder})
	connect(t, server.URL("postgres"))
	sockets := server.SocketFolder()
	server.Stop()
	if _, err := os.Stat(sockets); !errors.Is(err, os.ErrNotExist) {
		t.Fatalf("the temporary socket folder is left behind: %v", err)
	}
}

func TestASecondServerOnTheFolderIsRefused(t *testing.T) {
	folder := t.TempDir()
	server := start(t, Options{DataDir: folder})
	_, err := Start(t.Context(), Options{DataDir: folder})
	if !errors.Is(err, ErrFolderInUse) || !strings.Contains(err.Error(), strconv.Itoa(os.Getpid())) {
		t.Fatalf("second start: %v", err)
	}
	connect(t, server.URL("postgres"))
}

func TestPostgreSQLIsStartedAgainAfterKill(t *testing.T) {
	server := start(t, Options{DataDir: t.TempDir()})
	exec1(t, server.URL("postgres"), "CREATE TABLE kept AS SELECT 1")
	killed := server.Pid()
	if err := syscall.Kill(killed, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	for deadline := time.Now().Add(20 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		connection, err := pgx.Connect(t.Context(), server.URL("postgres"))
		if err == nil {
			_ = connection.Close(t.Context())
			if server.Pid() != killed {
				break
			}
		}
		if time.Now().After(deadline) {
			t.Fatalf("PostgreSQL did not come back: %v", err)
		}
	}
	if n := count(t, server.URL("postgres")); n != 1 {
		t.Fatalf("%d rows are left of 1", n)
	}
}

// holder is another process that holds a server; see hold.
type holder struct {
	*exec.Cmd
	pid int
	url string
}

func startHolder(t *testing.T, binary, folder, bin string, credential *syscall.Credential) holder {
	t.Helper()
	command := exec.Command(binary)
	command.Env = append(os.Environ(), holdEnv+"="+folder, binEnv+"="+bin)
	command.Dir = filepath.Dir(folder)
	command.SysProcAttr = &syscall.SysProcAttr{Credential: credential}
	command.Stderr = t.Output()
	stdin, err := command.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	output, err := command.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = stdin.Close()
		_ = command.Wait()
	})
	lines := bufio.NewScanner(output)
	lines.Scan()
	fields := strings.Fields(lines.Text())
	if len(fields) != 3 || fields[0] != "ready" {
		t.Fatalf("the other server says %q", lines.Text())
	}
	pid, _ := strconv.Atoi(fields[1])
	return holder{Cmd: command, pid: pid, url: fields[2]}
}

func TestDataSurvivesKillOfTheServer(t *testing.T) {
	folder := t.TempDir()
	bin, err := findBinaries("")
	if err != nil {
		t.Fatal(err)
	}
	other := startHolder(t, os.Args[0], folder, bin, nil)
	exec1(t, other.url, "CREATE TABLE kept AS SELECT 1")
	if err := other.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = other.Wait()
	// The new server starts while the old PostgreSQL is still going down.
	server := start(t, Options{DataDir: folder})
	if alive(other.pid) {
		t.Fatal("the old PostgreSQL runs beside the new one")
	}
	if n := count(t, server.URL("held")); n != 1 {
		t.Fatalf("%d rows are left of 1", n)
	}
}

func TestDataSurvivesKillOfBoth(t *testing.T) {
	folder := t.TempDir()
	bin, err := findBinaries("")
	if err != nil {
		t.Fatal(err)
	}
	other := startHolder(t, os.Args[0], folder, bin, nil)
	exec1(t, other.url, "CREATE TABLE kept AS SELECT 1")
	_ = other.Process.Kill()
	_ = syscall.Kill(other.pid, syscall.SIGKILL)
	_ = other.Wait()
	server := start(t, Options{DataDir: folder})
	if n := count(t, server.URL("held")); n != 1 {
		t.Fatalf("%d rows are left of 1", n)
	}
}

func TestPostgreSQLEndsWithItsServer(t *testing.T) {
	bin, err := findBinaries("")
	if err != nil {
		t.Fatal(err)
	}
	other := startHolder(t, os.Args[0], t.TempDir(), bin, nil)
	_ = other.Process.Kill()
	_ = other.Wait()
	awaitEnd(t, other.pid)
}

func TestAStalePidFileThatNamesALivingProcessIsNoObstacle(t *testing.T) {
	folder := t.TempDir()
	start(t, Options{DataDir: folder}).Stop()
	stale := fmt.Sprintf("%d\n%s\n0\n5432\n\n\n 0 0\nready\n", os.Getppid(), filepath.Join(folder, "postgres"))
	if err := os.WriteFile(filepath.Join(folder, "postgres", "postmaster.pid"), []byte(stale), 0o600); err != nil {
		t.Fatal(err)
	}
	server := start(t, Options{DataDir: folder})
	connect(t, server.URL("postgres"))
}

func TestAClusterOfAnotherMajorVersionIsNamed(t *testing.T) {
	folder := t.TempDir()
	start(t, Options{DataDir: folder}).Stop()
	if err := os.WriteFile(filepath.Join(folder, "postgres", "PG_VERSION"), []byte("12\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := Start(t.Context(), Options{DataDir: folder})
	if err == nil || !strings.Contains(err.Error(), "made by PostgreSQL 12") || !strings.Contains(err.Error(), "POSTGRES_BIN") {
		t.Fatalf("start: %v", err)
	}
}

func TestAStartThatWasCutShortLeavesNoHalfCluster(t *testing.T) {
	folder := t.TempDir()
	if err := os.MkdirAll(filepath.Join(folder, "postgres.new", "base"), 0o700); err != nil {
		t.Fatal(err)
	}
	server := start(t, Options{DataDir: folder})
	connect(t, server.URL("postgres"))
}

func TestAStartIsAbandonedWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	before := reachableParents
	reachableParents = []string{t.TempDir()}
	t.Cleanup(func() { reachableParents = before })
	if _, err := Start(ctx, Options{DataDir: t.TempDir()}); !errors.Is(err, context.Canceled) {
		t.Fatalf("start: %v", err)
	}
	if left, err := os.ReadDir(reachableParents[0]); err != nil || len(left) > 0 {
		t.Fatalf("a start that never was leaves %v, %v", left, err)
	}
}

func TestAWrongSettingStopsTheStartInPostgreSQLsWords(t *testing.T) {
	_, err := Start(t.Context(), Options{DataDir: t.TempDir(), Settings: []string{"shared_buffers=none"}})
	if err == nil || !strings.Contains(err.Error(), "shared_buffers") {
		t.Fatalf("start: %v", err)
	}
}

func TestAMissingBinaryFolderIsNamed(t *testing.T) {
	_, err := Start(t.Context(), Options{DataDir: t.TempDir(), Bin: "/nonexistent"})
	if err == nil || !strings.Contains(err.Error(), "POSTGRES_BIN=/nonexistent") {
		t.Fatalf("start: %v", err)
	}
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root, who can become other users")
	}
}

// openFolder is a temporary folder that every user may enter; t.TempDir's parents are closed.
func openFolder(t *testing.T) string {
	t.Helper()
	folder, err := os.MkdirTemp("/var/tmp", "embeddedpostgres-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(folder) })
	if err := os.Chmod(folder, 0o755); err != nil { //nolint:gosec // that is the point
		t.Fatal(err)
	}
	return folder
}

func copyPostgres(t *testing.T, to string) string {
	t.Helper()
	bin, err := findBinaries("")
	if err != nil {
		t.Fatal(err)
	}
	copied, err := copyInstall(filepath.Dir(bin), to)
	if err != nil {
		t.Fatal(err)
	}
	return copied
}

func TestRunsAsAPlainUser(t *testing.T) {
	needRoot(t)
	for name, uid := range map[string]uint32{"with a name": 65534, "without a name": 54321} {
		t.Run(name, func(t *testing.T) {
			folder := openFolder(t)
			bin := copyPostgres(t, filepath.Join(folder, "install"))
			program, err := os.ReadFile(os.Args[0])
			if err != nil {
				t.Fatal(err)
			}
			binary := filepath.Join(folder, "server")
			if err := os.WriteFile(binary, program, 0o755); err != nil { //nolint:gosec // a program
				t.Fatal(err)
			}
			dataDir := filepath.Join(folder, "data")
			if err := os.Mkdir(dataDir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.Chown(dataDir, int(uid), int(uid)); err != nil {
				t.Fatal(err)
			}
			other := startHolder(t, binary, dataDir, bin, &syscall.Credential{Uid: uid, Gid: uid})
			exec1(t, other.url, "CREATE TABLE kept AS SELECT 1")
		})
	}
}

func TestRunsFromACloneBelowAClosedFolderOfRoot(t *testing.T) {
	needRoot(t)
	for name, refuse := range map[string]bool{"in a user namespace": false, "as an unprivileged user": true} {
		t.Run(name, func(t *testing.T) {
			closed := filepath.Join(openFolder(t), "closed")
			if err := os.Mkdir(closed, 0o700); err != nil {
				t.Fatal(err)
			}
			// Copies for the unprivileged user land beside the test's own folders instead of the machine's.
			before := reachableParents
			reachableParents = []string{openFolder(t)}
			t.Cleanup(func() { reachableParents = before })
			bin := copyPostgres(t, filepath.Join(closed, "install"))
			options := Options{DataDir: filepath.Join(closed, "data"), Bin: bin, Databases: []string{"rlmaze"}, refuseNamespace: refuse}
			server := start(t, options)
			if server.identity.drops() != refuse {
				t.Fatalf("identity %+v", server.identity)
			}
			exec1(t, server.URL("rlmaze"), "CREATE TABLE kept AS SELECT 1")
			server.Stop()
			again := start(t, options)
			if n := count(t, again.URL("rlmaze")); n != 1 {
				t.Fatalf("%d rows are left of 1", n)
			}
		})
	}
}
