package main

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"syscall"
	"time"
)

// clockTick is the unit of CPU times in /proc: USER_HZ is 100 on every Linux that runs Go.
const clockTick = 10 * time.Millisecond

// cpuOf reads the user and system time that a process has used, its finished threads included; 0 for pid 0.
func cpuOf(pid int) (time.Duration, error) {
	if pid == 0 {
		return 0, nil
	}
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The second field, the command in parentheses, may hold spaces; utime and stime are the fields 14 and 15.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	if len(fields) < 13 {
		return 0, fmt.Errorf("read /proc/%d/stat: %d fields", pid, len(fields))
	}
	var ticks int64
	for _, field := range fields[11:13] {
		n, err := strconv.ParseInt(string(field), 10, 64)
		if err != nil {
			return 0, err
		}
		ticks += n
	}
	return time.Duration(ticks) * clockTick, nil
}

// ownCPU is the same for this process, exactly.
func ownCPU() time.Duration {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}

// window is a stretch of time with what the two processes used in it.
type window struct {
	start, end         time.Time
	serverCPU, loadCPU time.Duration
}

// measure waits for the warm-up, then for the window, and reads the clocks at both ends. began is called at the window's start.
func measure(s settings, began func()) (window, error) {
	time.Sleep(s.warmUp)
	began()
	server, err := cpuOf(s.pid)
	if err != nil {
		return window{}, err
	}
	load := ownCPU()
	w := window{start: time.Now()}
	time.Sleep(s.window)
	w.end = time.Now()
	after, err := cpuOf(s.pid)
	if err != nil {
		return window{}, err
	}
	w.serverCPU, w.loadCPU = after-server, ownCPU()-load
	return w, nil
}
