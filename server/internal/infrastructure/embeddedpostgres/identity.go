package embeddedpostgres

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"runtime"
	"strconv"
	"syscall"
)

// identity is the user that PostgreSQL runs as. It refuses root, and initdb refuses a user without a name, so there are three ways:
//   - as the plain user who runs the server;
//   - in a user namespace of its own, where the server's user, root as a rule, goes by another number. Outside nothing changes: the
//     files stay the server's user's, and folders that only it may enter can be entered;
//   - where user namespaces are switched off, as an unprivileged user of the system, with binaries and data where it can get at them.
type identity struct {
	inner      int  // uid and gid inside the namespace
	namespace  bool // CLONE_NEWUSER
	credential *syscall.Credential
}

// drops says whether PostgreSQL runs as another user of the system.
func (i identity) drops() bool { return i.credential != nil }

// attributes of the child process. SIGINT at the death of the server makes PostgreSQL end in order; a process group of its own keeps
// the terminal's Ctrl-C from it, so that the server can still write while it drains.
func (i identity) attributes() *syscall.SysProcAttr {
	attributes := &syscall.SysProcAttr{Pdeathsig: syscall.SIGINT, Setpgid: true, Credential: i.credential}
	if i.namespace {
		attributes.Cloneflags = syscall.CLONE_NEWUSER
		attributes.UidMappings = []syscall.SysProcIDMap{{ContainerID: i.inner, HostID: os.Geteuid(), Size: 1}}
		attributes.GidMappings = []syscall.SysProcIDMap{{ContainerID: i.inner, HostID: os.Getegid(), Size: 1}}
	}
	return attributes
}

// own gives a tree to the user that PostgreSQL runs as, where that is another one than its owner.
func (i identity) own(folder string) error {
	uid, gid := os.Geteuid(), os.Getegid()
	if i.drops() {
		uid, gid = int(i.credential.Uid), int(i.credential.Gid)
	}
	root, err := os.Stat(folder)
	if err != nil {
		return fmt.Errorf("look at %s: %w", folder, err)
	}
	if status, ok := root.Sys().(*syscall.Stat_t); ok && int(status.Uid) == uid {
		return nil
	}
	err = filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, gid)
	})
	if err != nil {
		return fmt.Errorf("give %s to user %d: %w", folder, uid, err)
	}
	return nil
}

func chooseIdentity(ctx context.Context, bin string, refuseNamespace bool) (identity, error) {
	self, err := user.LookupId(strconv.Itoa(os.Geteuid()))
	if os.Geteuid() != 0 && err == nil && self != nil {
		return identity{}, nil
	}
	unprivileged, err := unprivilegedUser()
	if err != nil {
		return identity{}, err
	}
	uid, _ := strconv.Atoi(unprivileged.Uid)
	gid, _ := strconv.Atoi(unprivileged.Gid)
	if !refuseNamespace {
		inNamespace := identity{namespace: true, inner: uid}
		probe := exec.CommandContext(ctx, filepath.Join(bin, "postgres"), "--version")
		probe.SysProcAttr = inNamespace.attributes()
		runtime.LockOSThread()
		err := probe.Run()
		runtime.UnlockOSThread()
		if err == nil {
			return inNamespace, nil
		}
		if ctx.Err() != nil {
			return identity{}, fmt.Errorf("start PostgreSQL: %w", ctx.Err())
		}
	}
	if os.Geteuid() != 0 {
		return identity{}, fmt.Errorf("PostgreSQL does not run as user %d, who has no name, and this machine has no user namespaces: run as another user or set DATABASE_URL", os.Geteuid())
	}
	return identity{credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}}, nil //nolint:gosec // read from passwd
}

func unprivilegedUser() (*user.User, error) {
	for _, name := range []string{"postgres", "nobody", "daemon"} {
		if found, err := user.Lookup(name); err == nil && found.Uid != "0" {
			return found, nil
		}
	}
	return nil, errors.New("PostgreSQL does not run as root, and this machine has none of the users postgres, nobody, daemon: run as a plain user or set DATABASE_URL")
}

// reachableParents are tried in this order for what an unprivileged user must get at. The first survives a restart of the machine.
var reachableParents = []string{"/var/lib", "/var/tmp"}

// moveToReachableFolders copies the binaries, and makes the cluster elsewhere with a link in its place, where folders above them
// are closed to the user that PostgreSQL runs as.
func (s *Server) moveToReachableFolders() error {
	uid := s.identity.credential.Uid
	install := filepath.Dir(s.bin)
	if !reachable(s.bin, uid) {
		copied, err := reachableFolder("rlmaze-postgres-", install, uid)
		if err != nil {
			return err
		}
		if s.bin, err = copyInstall(install, copied); err != nil {
			return err
		}
	}
	if resolved, err := filepath.EvalSymlinks(s.cluster); err == nil {
		if !reachable(filepath.Dir(resolved), uid) {
			return fmt.Errorf("%s lies below a folder that user %d, as whom PostgreSQL must run here, can't enter: set DATA_DIR to another folder or DATABASE_URL to a running server", resolved, uid)
		}
		s.cluster = resolved
		return nil
	}
	if reachable(s.options.DataDir, uid) {
		return nil
	}
	// The folder itself stays root's: initdb works beside the cluster and renames it.
	folder, err := reachableFolder("rlmaze-data-", s.options.DataDir, uid)
	if err != nil {
		return err
	}
	link := s.cluster
	s.cluster = filepath.Join(folder, "postgres")
	_ = os.Remove(link) // a link to a cluster that is gone
	if err := os.Symlink(s.cluster, link); err != nil {
		return fmt.Errorf("link the cluster: %w", err)
	}
	s.options.Logger.Warn("PostgreSQL's data lies outside of the data folder, which its user can't enter", "folder", s.cluster)
	return nil
}

// reachable says whether a user may enter the folder and all above it. Group rights do not count: the child has no groups.
func reachable(folder string, uid uint32) bool {
	for ; ; folder = filepath.Dir(folder) {
		entry, err := os.Stat(folder)
		if err != nil {
			return false
		}
		status, ok := entry.Sys().(*syscall.Stat_t)
		mine := ok && status.Uid == uid
		if mode := entry.Mode().Perm(); mine && mode&0o100 == 0 || !mine && mode&0o001 == 0 {
			return false
		}
		if folder == filepath.Dir(folder) {
			return true
		}
	}
}

// reachableFolder makes a folder whose name stands for the one that it replaces, so that the next start finds it again.
func reachableFolder(prefix, replaced string, uid uint32) (string, error) {
	digest := sha256.Sum256([]byte(replaced))
	for _, parent := range reachableParents {
		folder := filepath.Join(parent, prefix+hex.EncodeToString(digest[:8]))
		if err := os.Mkdir(folder, 0o755); err != nil && !errors.Is(err, os.ErrExist) { //nolint:gosec // it is meant to be entered
			continue
		}
		entry, err := os.Lstat(folder)
		if err != nil || !entry.IsDir() {
			continue
		}
		// In a folder where everybody may write, somebody else may have been there first.
		if status, ok := entry.Sys().(*syscall.Stat_t); !ok || int(status.Uid) != os.Geteuid() || !reachable(folder, uid) {
			continue
		}
		return folder, nil
	}
	return "", fmt.Errorf("none of %v can hold PostgreSQL's files for user %d: set DATA_DIR and POSTGRES_BIN to folders that it can enter, or DATABASE_URL to a running server", reachableParents, uid)
}

// copyInstall copies what initdb and postgres need and returns the new folder of binaries. The two folders above them keep their
// names, and the libraries that a Python wheel keeps in a third one beside them come along: programs find them by that relative path.
// An earlier copy is used again; bin comes last, because its presence says that the copy is whole.
func copyInstall(from, to string) (string, error) {
	vendor := filepath.Base(filepath.Dir(from))
	install := filepath.Join(to, vendor, filepath.Base(from))
	bin := filepath.Join(install, "bin")
	if holdsBinaries(bin) {
		return bin, nil
	}
	libraries := vendor + ".libs"
	parts := [][2]string{
		{filepath.Join(from, "lib"), filepath.Join(install, "lib")},
		{filepath.Join(from, "share"), filepath.Join(install, "share")},
		{filepath.Join(from, "bin"), bin},
	}
	if beside := filepath.Join(from, "..", "..", libraries); isFolder(beside) {
		parts = append([][2]string{{beside, filepath.Join(to, libraries)}}, parts...)
	}
	for _, part := range parts {
		unfinished := part[1] + ".new"
		if err := errors.Join(os.RemoveAll(unfinished), os.RemoveAll(part[1])); err != nil {
			return "", fmt.Errorf("copy PostgreSQL: %w", err)
		}
		if err := os.CopyFS(unfinished, os.DirFS(part[0])); err != nil {
			return "", fmt.Errorf("copy PostgreSQL: %w", err)
		}
		if err := os.Rename(unfinished, part[1]); err != nil {
			return "", fmt.Errorf("copy PostgreSQL: %w", err)
		}
	}
	return bin, nil
}

func isFolder(path string) bool {
	entry, err := os.Stat(path)
	return err == nil && entry.IsDir()
}
