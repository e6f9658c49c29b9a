package e2e

import (
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"connectrpc.com/connect"
	"google.golang.org/protobuf/proto"

	inferencev1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/inference/v1"
	modelv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/model/v1"
	systemv1 "github.com/rlmaze/rlmaze/gen/go/rlmaze/system/v1"
	"github.com/rlmaze/rlmaze/server/internal/testing/measured"
)

// binaryFolder holds the built server, once a test needed it.
var binaryFolder string

func removeBinary() { _ = os.RemoveAll(binaryFolder) }

// serverBinary builds the server once for all tests of this run.
var serverBinary = sync.OnceValues(func() (path string, err error) {
	if binaryFolder, err = os.MkdirTemp("", "rlmaze-e2e-bin-"); err != nil {
		return "", err
	}
	path = filepath.Join(binaryFolder, "rlmaze")
	output, err := exec.Command("go", "build", "-o", path, "../cmd/rlmaze").CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("build the server: %w\n%s", err, output)
	}
	return path, nil
})

// process is the built server as a child process.
type process struct {
	command *exec.Cmd
	public  string
	log     lockedBuffer
	ended   chan struct{}
}

// startProcess starts the built server and waits until it answers.
func startProcess(t *testing.T, dataDir string, addresses []string, variables map[string]string) *process {
	t.Helper()
	p := spawn(t, dataDir, addresses, variables)
	eventually(t, "the server answers", func() bool {
		select {
		case <-p.ended:
			t.Fatalf("the server ended: %s", p.log.buffer.String())
		default:
		}
		response, err := http.Get(p.public + "/health") //nolint:noctx // a test's own server
		if err == nil {
			_ = response.Body.Close()
		}
		return err == nil && response.StatusCode == http.StatusOK
	})
	return p
}

func spawn(t *testing.T, dataDir string, addresses []string, variables map[string]string) *process {
	t.Helper()
	path, err := serverBinary()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{"RLMAZE_ADDR": addresses[0], "RLMAZE_PRIVATE_ADDR": addresses[1], "LOG_FORMAT": "json"}
	for name, value := range variables {
		all[name] = value
	}
	if all, err = environment(dataDir, all); err != nil {
		t.Fatal(err)
	}
	p := &process{command: exec.Command(path), public: "http://" + addresses[0], ended: make(chan struct{})}
	for name, value := range all {
		p.command.Env = append(p.command.Env, name+"="+value)
	}
	p.command.Env = append(p.command.Env, "PATH="+os.Getenv("PATH"))
	p.command.Stderr = &p.log
	if err := p.command.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.command.Wait() // how it ended is read from ProcessState
		close(p.ended)
	}()
	t.Cleanup(func() {
		_ = p.command.Process.Kill()
		<-p.ended
		http.DefaultClient.CloseIdleConnections()
	})
	return p
}

// output returns what the process has written.
func (p *process) output() string {
	p.log.mu.Lock()
	defer p.log.mu.Unlock()
	return p.log.buffer.String()
}

func tempData(t *testing.T) string {
	t.Helper()
	folder, err := dataFolder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { removeAll(t, folder) })
	return folder
}

// viewers run episodes until their streams end.
type viewers struct {
	all      []*viewer
	watching sync.WaitGroup
}

type viewer struct {
	request *inferencev1.RunEpisodeRequest
	way     transport
	episode *episode
	err     error
}

// watch opens n streams over all transports and returns when each has its first steps.
func watch(t *testing.T, ways []transport, base string, n int) *viewers {
	t.Helper()
	v := &viewers{}
	var begun sync.WaitGroup
	for i := range n {
		one := &viewer{
			request: &inferencev1.RunEpisodeRequest{EpisodeId: newEpisodeID(), Maze: mazeByID(fmt.Sprintf("heldout-%04d", i+1)), StepsPerSecond: float64(8 + i%40), Seed: proto.Uint64(uint64(i)), Sampling: softmax(1)},
			way:     ways[i%len(ways)],
			episode: &episode{},
		}
		v.all = append(v.all, one)
		live, err := one.way.open(context.Background(), base, one.request)
		if err != nil {
			t.Fatal(err)
		}
		begun.Add(1)
		v.watching.Go(func() {
			one.err = one.episode.follow(notifying{live, sync.OnceFunc(begun.Done)}, -1)
		})
	}
	begun.Wait()
	return v
}

// notifying calls begun with the first message.
type notifying struct {
	stream
	begun func()
}

func (n notifying) next() (*inferencev1.RunEpisodeResponse, error) {
	response, err := n.stream.next()
	n.begun()
	return response, err
}

// TestSIGTERMEndsEveryStreamAndLosesNoEpisode ends a server with many live streams: each gets its end or unavailable, what was said to be
// logged is in the log, and the process is gone within fifteen seconds.
func TestSIGTERMEndsEveryStreamAndLosesNoEpisode(t *testing.T) {
	n := count(45, 200)
	data, addresses := tempData(t), freePorts(t, 2)
	p := startProcess(t, data, addresses, nil)
	v := watch(t, transports(t, 0), p.public, n)
	for i := range 3 { // and one reader on each transport that has stopped reading
		stalled, err := transports(t, 4<<10)[i].open(t.Context(), p.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("generated-100x100-1"), Sampling: softmax(10)})
		if err != nil {
			t.Fatal(err)
		}
		defer stalled.close()
	}
	time.Sleep(300 * time.Millisecond) // some episodes end meanwhile
	began := time.Now()
	if err := p.command.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	v.watching.Wait()
	streamsEnded := time.Since(began)
	select {
	case <-p.ended:
	case <-time.After(measured.Patience):
		t.Fatal("the process did not end")
	}
	took := time.Since(began)
	if took > measured.Limit(15*time.Second) || p.command.ProcessState.ExitCode() != 0 {
		t.Errorf("the process ended after %v with %v\n%s", took, p.command.ProcessState, p.output())
	}
	finished, unavailable := 0, 0
	again := startProcess(t, data, addresses, nil)
	log := episodes(t, data)
	for i, one := range v.all {
		switch {
		case one.err == nil && one.episode.finished.GetLogged():
			finished++
			if record, err := find(t, log, one.request.GetEpisodeId()); err != nil || record.Steps != len(one.episode.steps) {
				t.Errorf("viewer %d: the log holds %+v, %v", i, record, err)
			}
		case connect.CodeOf(one.err) == connect.CodeUnavailable && !strings.Contains(one.err.Error(), "EOF"):
			unavailable++
		default:
			t.Errorf("viewer %d over %s: %v, finished %v", i, one.way.name, one.err, one.episode.finished)
		}
	}
	if documents := countEpisodes(t, again.public, data); documents < finished {
		t.Errorf("the log holds %d documents, want at least %d", documents, finished)
	}
	t.Logf("SIGTERM with %d live streams: %d finished and logged, %d got unavailable, all streams ended after %v, the process after %v", n, finished, unavailable, streamsEnded.Round(time.Millisecond), took.Round(time.Millisecond))
}

// TestKillAndRestartLetClientsResumeToTheRightEnd kills the server without warning, starts it again and resumes every episode.
func TestKillAndRestartLetClientsResumeToTheRightEnd(t *testing.T) {
	n := count(15, 50)
	data, addresses := tempData(t), freePorts(t, 2)
	p := startProcess(t, data, addresses, nil)
	ways := transports(t, 0)
	v := watch(t, ways, p.public, n)
	time.Sleep(200 * time.Millisecond)
	if err := p.command.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	v.watching.Wait()
	<-p.ended
	for _, way := range ways {
		way.http.CloseIdleConnections()
	}
	began := time.Now()
	again := startProcess(t, data, addresses, nil)
	restart := time.Since(began)
	log := episodes(t, data)
	resumed := 0
	for i, one := range v.all {
		if one.episode.finished == nil {
			resumed++
			request := one.episode.resume(one.request)
			request.StepsPerSecond = 0
			live, err := one.way.open(t.Context(), again.public, request)
			if err == nil {
				err = one.episode.follow(live, -1)
			}
			if err != nil {
				t.Errorf("viewer %d over %s: %v", i, one.way.name, err)
				continue
			}
		}
		whole := proto.CloneOf(one.request)
		whole.EpisodeId, whole.StepsPerSecond = newEpisodeID(), 0
		uncut, err := run(t.Context(), ways[0], again.public, whole)
		if err != nil {
			t.Fatal(err)
		}
		if d := difference(uncut, one.episode); d != "" {
			t.Errorf("viewer %d differs from the uncut episode: %s", i, d)
		}
		if record, err := find(t, log, one.request.GetEpisodeId()); err != nil || record.Steps != len(uncut.steps) {
			t.Errorf("viewer %d: the log holds %+v, %v", i, record, err)
		}
	}
	documents := countEpisodes(t, again.public, data)
	if documents != 2*n {
		t.Errorf("the log holds %d documents, want %d", documents, 2*n)
	}
	t.Logf("kill -9 during %d episodes: restart in %v, %d resumed to the uncut end, %d documents for %d episode ids", n, restart.Round(time.Millisecond), resumed, documents, 2*n)
}

func TestAPortInUseIsNamedWithItsVariable(t *testing.T) {
	taken := strings.TrimPrefix(shared.public, "http://")
	free := freePorts(t, 1)[0]
	for variable, addresses := range map[string][]string{"RLMAZE_ADDR": {taken, free}, "RLMAZE_PRIVATE_ADDR": {free, taken}} {
		p := spawn(t, tempData(t), addresses, nil)
		<-p.ended
		if output := p.output(); p.command.ProcessState.ExitCode() != 1 || !strings.Contains(output, variable) || !strings.Contains(output, taken) {
			t.Errorf("%s: exit code %d, %s", variable, p.command.ProcessState.ExitCode(), output)
		}
	}
}

func TestAWrongVariableStopsTheStart(t *testing.T) {
	p := spawn(t, tempData(t), freePorts(t, 2), map[string]string{"MAX_STREAMS": "many", "LOG_FORMAT": "xml"})
	<-p.ended
	if output := p.output(); p.command.ProcessState.ExitCode() != 1 || !strings.Contains(output, "MAX_STREAMS") {
		t.Errorf("exit code %d, %s", p.command.ProcessState.ExitCode(), output)
	}
}

func TestASecondServerOnTheDataFolderIsRefused(t *testing.T) {
	p := spawn(t, shared.dataDir, freePorts(t, 2), nil)
	select {
	case <-p.ended:
	case <-time.After(measured.Patience):
		t.Fatal("it runs")
	}
	if output := p.output(); p.command.ProcessState.ExitCode() != 1 || !strings.Contains(output, "DATA_DIR") {
		t.Errorf("exit code %d, %s", p.command.ProcessState.ExitCode(), output)
	}
}

func TestAnIdleServerIsSmall(t *testing.T) {
	p := startProcess(t, tempData(t), freePorts(t, 2), nil)
	status := string(readFile(t, fmt.Sprintf("/proc/%d/status", p.command.Process.Pid)))
	var resident int
	for line := range strings.Lines(status) {
		if _, err := fmt.Sscanf(line, "VmRSS: %d kB", &resident); err == nil {
			break
		}
	}
	const most = 150 << 10 // kB
	if resident == 0 || resident > most {
		t.Errorf("the idle server takes %d kB", resident)
	}
	t.Logf("the idle server takes %d MB (its embedded PostgreSQL beside)", resident>>10)
}

// TestAStoreThatIsDownIsNamedAndEpisodesStillRun takes first the log and then the registry away from a running server.
func TestAStoreThatIsDownIsNamedAndEpisodesStillRun(t *testing.T) {
	storesURL := ownStores(t)
	registry, log := relay(t, storesURL.postgres), relay(t, storesURL.mongo)
	s := start(t, map[string]string{
		"DATABASE_URL": "postgres://rlmaze@" + registry.address() + "/rlmaze?sslmode=disable",
		"MONGODB_URI":  "mongodb://" + log.address() + "/?directConnection=true",
	})
	way := transports(t, 0)[0]
	status := func() *systemv1.GetStatusResponse {
		got, err := system(s.public).GetStatus(t.Context(), &systemv1.GetStatusRequest{})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	if got := status(); got.GetState() != systemv1.ServerState_SERVER_STATE_SERVING || got.GetStores()[0].GetEmbedded() {
		t.Fatalf("the status is %v", got)
	}
	up := func(name string) bool {
		for _, store := range status().GetStores() {
			if store.GetName() == name {
				if !store.GetUp() && (store.GetMessage() == "" || strings.Contains(store.GetMessage(), "127.0.0.1")) {
					t.Errorf("%s is down and says %q", name, store.GetMessage())
				}
				return store.GetUp()
			}
		}
		t.Fatalf("no store %s", name)
		return false
	}

	log.cut()
	var spooled []string
	for i := range 5 {
		request := &inferencev1.RunEpisodeRequest{EpisodeId: newEpisodeID(), Maze: mazeByID(fmt.Sprintf("heldout-%04d", i+100))}
		e, err := run(t.Context(), way, s.public, request)
		if err != nil || !e.finished.GetLogged() {
			t.Fatalf("an episode without the log's store: %v, %v", err, e.finished)
		}
		spooled = append(spooled, request.GetEpisodeId())
	}
	// The answer of a ping serves everybody for a quarter of a second.
	eventually(t, "the log's store is seen to be down", func() bool { return !up("mongodb") })
	if got := status(); got.GetState() != systemv1.ServerState_SERVER_STATE_DEGRADED || got.GetSpooledEpisodes() != 5 {
		t.Errorf("without the log's store the status is %v", got)
	}
	log.mend(t)
	eventually(t, "the spool is written to the log", func() bool { return status().GetSpooledEpisodes() == 0 && up("mongodb") })
	documents := storesURL.log(t)
	for _, id := range spooled {
		if _, err := find(t, documents, id); err != nil {
			t.Errorf("%s: %v", id, err)
		}
	}

	registry.cut()
	eventually(t, "the registry is seen to be down", func() bool { return !up("postgresql") })
	if got := status(); got.GetState() != systemv1.ServerState_SERVER_STATE_DEGRADED || got.GetActiveModelId() == "" {
		t.Errorf("without the registry the status is %v", got)
	}
	if _, err := models(s.public).ListModels(t.Context(), &modelv1.ListModelsRequest{}); connect.CodeOf(err) != connect.CodeUnavailable || strings.Contains(err.Error(), "127.0.0.1") {
		t.Errorf("ListModels without the registry: %v", err)
	}
	if _, err := models(s.private).SetActiveModel(t.Context(), &modelv1.SetActiveModelRequest{ModelId: shippedModel}); connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("SetActiveModel without the registry: %v", err)
	}
	if e, err := run(t.Context(), way, s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0200")}); err != nil || !e.finished.GetLogged() {
		t.Errorf("an episode without the registry: %v", err)
	}
	registry.mend(t)
	eventually(t, "the server serves again", func() bool { return status().GetState() == systemv1.ServerState_SERVER_STATE_SERVING })
	if _, err := models(s.public).ListModels(t.Context(), &modelv1.ListModelsRequest{}); err != nil {
		t.Errorf("ListModels with the registry back: %v", err)
	}
}

// TestAServerStartsWhileItsStoresAreDown goes on to register its models when they are back.
func TestAServerStartsWhileItsStoresAreDown(t *testing.T) {
	storesURL := ownStores(t)
	registry, log := relay(t, storesURL.postgres), relay(t, storesURL.mongo)
	registry.cut()
	log.cut()
	s := start(t, map[string]string{
		"DATABASE_URL": "postgres://rlmaze@" + registry.address() + "/rlmaze?sslmode=disable",
		"MONGODB_URI":  "mongodb://" + log.address() + "/?directConnection=true",
	})
	way := transports(t, 0)[0]
	_, err := run(t.Context(), way, s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")})
	if connect.CodeOf(err) != connect.CodeUnavailable {
		t.Errorf("an episode before the registry was ever seen: %v", err)
	}
	registry.mend(t)
	log.mend(t)
	eventually(t, "the models are registered", func() bool {
		e, err := run(t.Context(), way, s.public, &inferencev1.RunEpisodeRequest{Maze: mazeByID("heldout-0001")})
		return err == nil && e.finished.GetLogged()
	})
}
