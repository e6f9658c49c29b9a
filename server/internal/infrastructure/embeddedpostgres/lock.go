package embeddedpostgres

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// lockFolder takes the data folder for this process. The kernel frees it when the process ends, however it ends.
func lockFolder(ctx context.Context, dataDir string) (*os.File, error) {
	path := filepath.Join(dataDir, "postgres.lock")
	file, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the data folder's lock: %w", err)
	}
	for deadline := time.Now().Add(lockPatience); ; {
		err = syscall.Flock(int(file.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) //nolint:gosec // file descriptors are small
		if err == nil {
			break
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(deadline) || ctx.Err() != nil {
			holder, _ := os.ReadFile(path)
			_ = file.Close()
			if !errors.Is(err, syscall.EWOULDBLOCK) {
				return nil, fmt.Errorf("lock the data folder: %w", err)
			}
			return nil, fmt.Errorf("%w: %s is held by process %s; stop it, or set DATA_DIR to another folder", ErrFolderInUse, dataDir, strings.TrimSpace(string(holder)))
		}
		time.Sleep(50 * time.Millisecond)
	}
	// For the message above only; the lock is flock's.
	_ = file.Truncate(0)
	_, _ = file.WriteAt([]byte(strconv.Itoa(os.Getpid())+"\n"), 0)
	return file, nil
}

// endOrphans waits until no process works in the cluster's folder: this server holds the lock, so whatever is there belonged to one
// that was killed, and its own death signal is taking it down. One that does not go is told to. A postmaster.pid that is left over is
// then stale for certain and is removed: its number may meanwhile be another program's, at which PostgreSQL would refuse to start.
func endOrphans(ctx context.Context, cluster string, logger *slog.Logger) error {
	began, told := time.Now(), false
	for {
		orphans := processesIn(cluster)
		if len(orphans) == 0 {
			break
		}
		if ctx.Err() != nil {
			return fmt.Errorf("wait for PostgreSQL's old processes: %w", ctx.Err())
		}
		if waited := time.Since(began); waited > orphanPatience/2 && !told {
			told = true
			logger.Warn("an old PostgreSQL does not end by itself and is ended", "pids", orphans)
			for _, pid := range orphans {
				_ = syscall.Kill(pid, syscall.SIGQUIT)
			}
		} else if waited > orphanPatience {
			return fmt.Errorf("%w: PostgreSQL processes %v do not end", ErrFolderInUse, orphans)
		}
		time.Sleep(20 * time.Millisecond)
	}
	if err := os.Remove(filepath.Join(cluster, "postmaster.pid")); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf("remove a stale postmaster.pid: %w", err)
	}
	return nil
}

// processesIn lists the processes whose working directory is the cluster: postmaster and workers alike go there at their start.
func processesIn(cluster string) []int {
	if resolved, err := filepath.EvalSymlinks(cluster); err == nil {
		cluster = resolved
	}
	links, _ := filepath.Glob("/proc/[0-9]*/cwd")
	var pids []int
	for _, link := range links {
		// Other users' processes can't be read, and can't be PostgreSQL in a folder of ours either.
		if folder, err := os.Readlink(link); err == nil && folder == cluster {
			if pid, err := strconv.Atoi(filepath.Base(filepath.Dir(link))); err == nil && pid != os.Getpid() {
				pids = append(pids, pid)
			}
		}
	}
	return pids
}
