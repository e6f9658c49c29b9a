package onnxtrial

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/rlmaze/rlmaze/server/internal/domain"
	"github.com/rlmaze/rlmaze/server/internal/infrastructure/onnx"
)

// The limits that the parent holds the child to.
const (
	mostResident = 512 << 20            // bytes that lie in memory, whatever they are
	lookEvery    = 5 * time.Millisecond // at RSS; RLIMIT_DATA holds what a file could do in between
	mostTime     = 2 * time.Second      // from the file to the word
	startTime    = 20 * time.Second     // until the child is ready; it has no file before, so no file can make it long
	mostWords    = 4 << 10              // bytes of the child's words
)

// Trial tries networks, one at a time. It implements domain.NetworkTrial and may be used by many goroutines.
type Trial struct {
	program string
	library string
	turn    chan struct{} // one token: two children at once would be twice the memory
}

// New returns the trial whose children are the running program; library is ONNX Runtime. The program must call ServeIfChild.
func New(library string) (*Trial, error) {
	program, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("find the running program: %w", err)
	}
	return &Trial{program: program, library: library, turn: make(chan struct{}, 1)}, nil
}

// faults are the refusals, by the child's word.
var faults = map[string]string{
	wordLoad:      "can't be loaded by ONNX Runtime",
	wordShape:     "has other inputs or outputs once it is loaded",
	wordRun:       "fails when it is run",
	wordNotFinite: "computes outputs that are not finite",
	wordMemory:    "needs more memory than a policy may",
	wordTime:      "takes longer than a policy may",
	wordCrash:     "breaks ONNX Runtime",
}

// What the parent finds out itself.
const (
	wordTime  = "time"
	wordCrash = "crash"
)

// refuse makes the broken model of a word.
func refuse(word string, cause error) error {
	return domain.BrokenModel("its policy.onnx "+faults[word]+"; a network that loads, and computes finite outputs within 2 s and 512 MB, is needed", &domain.NetworkFault{Rule: "model.trial." + strings.ReplaceAll(word, "-", "_"), Cause: cause})
}

// TryNetwork implements domain.NetworkTrial: the walk in this process, then the child.
func (t *Trial) TryNetwork(ctx context.Context, file []byte) error {
	if err := onnx.Walk(file); err != nil {
		return err
	}
	select {
	case t.turn <- struct{}{}:
		defer func() { <-t.turn }()
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	word, cause := t.child(ctx, file)
	switch {
	case word == wordPassed:
		return nil
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case faults[word] != "":
		return refuse(word, cause)
	}
	return &domain.Error{Code: domain.CodeUnavailable, Rule: "model.not_tried", Message: "the server can't start the process in which it tries networks; its log says why", Cause: cause}
}

// child returns the word for a file. It is empty when there was no child that could try it; cause is then why.
func (t *Trial) child(ctx context.Context, file []byte) (word string, cause error) {
	folder, err := os.MkdirTemp("", "rlmaze-trial-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(folder)
	command := exec.Command(t.program, argument, t.library) //nolint:gosec // both are ours
	command.Env = []string{}                                // none; nil would be the parent's
	command.Dir = folder
	command.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	command.WaitDelay = time.Second
	var said limited
	command.Stderr = &said
	in, err := command.StdinPipe()
	if err != nil {
		return "", err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return "", err
	}
	runtime.LockOSThread() // the child's death signal is bound to this thread
	defer runtime.UnlockOSThread()
	if err := command.Start(); err != nil {
		return "", err
	}
	words := make(chan string)
	left := make(chan struct{})
	read := make(chan struct{})
	go func() {
		defer close(read)
		defer close(words)
		for lines := bufio.NewScanner(io.LimitReader(out, mostWords)); lines.Scan(); {
			select {
			case words <- lines.Text():
			case <-left:
				return
			}
		}
	}()
	written := make(chan struct{})
	word, started := watch(ctx, command.Process.Pid, words, func() {
		go func() {
			defer close(written)
			_, _ = in.Write(file) // a child that does not read it is killed, which ends the write
			_ = in.Close()
		}()
	})
	_ = command.Process.Kill() // it has said its word, or may not say one any more
	close(left)
	<-read
	if started {
		<-written
	}
	err = command.Wait()
	if word != "" {
		return word, nil
	}
	cause = fmt.Errorf("the child ended (%v) and said %q", err, said.String())
	if started {
		word = wordCrash
		if said.mentions("out of memory", "cannot allocate memory", "bad_alloc") {
			word = wordMemory
		}
	}
	return word, cause
}

// watch waits for the child's word, sends it the file when it is ready, and looks at its memory and at the time. started is true when it was ready.
func watch(ctx context.Context, pid int, words <-chan string, send func()) (word string, started bool) {
	clock := time.NewTimer(startTime)
	defer clock.Stop()
	look := time.NewTicker(lookEvery)
	defer look.Stop()
	for {
		select {
		case said, ok := <-words:
			switch {
			case !ok:
				return "", started
			case started:
				return said, true
			case said == wordReady:
				started = true
				clock.Reset(mostTime)
				send()
			default:
				return "", false
			}
		case <-look.C:
			if started && resident(pid) > mostResident {
				return wordMemory, true
			}
		case <-clock.C:
			if !started {
				return "", false
			}
			return wordTime, true
		case <-ctx.Done():
			return "", started
		}
	}
}

// resident is what lies in memory of a process; 0 when it has ended.
func resident(pid int) int64 {
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0
	}
	fields := strings.Fields(string(content))
	if len(fields) < 2 {
		return 0
	}
	pages, err := strconv.ParseInt(fields[1], 10, 64)
	if err != nil {
		return 0
	}
	return pages * int64(os.Getpagesize())
}

// limited keeps the first words of what is written to it; the rest is taken and lost.
type limited struct{ kept bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if room := mostWords - l.kept.Len(); room > 0 {
		l.kept.Write(p[:min(room, len(p))])
	}
	return len(p), nil
}

func (l *limited) String() string { return l.kept.String() }

func (l *limited) mentions(words ...string) bool {
	for _, w := range words {
		if strings.Contains(l.kept.String(), w) {
			return true
		}
	}
	return false
}
