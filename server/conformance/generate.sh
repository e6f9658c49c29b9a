#!/bin/sh
# Generates the Go code of connectrpc.com/conformance's own messages and service into ./gen. The module keeps its generated code
# internal, so it is made again from the protos of the very version that tools/conformance pins, with the plugins and options that the
# product's API is generated with. With --check it compares instead of writing.
set -eu
root=$(CDPATH='' cd -- "$(dirname -- "$0")/../.." && pwd)
PATH="$root/.tools/bin:$root/.tools/generate/bin:$root/.tools/light/bin:$PATH"
export PATH

protos=$(cd "$root/tools/conformance" && go mod download connectrpc.com/conformance && go list -m -f '{{.Dir}}' connectrpc.com/conformance)/proto
out=gen
if [ "${1:-}" = --check ]; then
	out=$(mktemp -d)
	trap 'rm -rf "$out"' EXIT
fi
cd "$root/server/conformance"
template=$(
	cat <<YAML
version: v2
managed:
  enabled: true
  override:
    - file_option: go_package_prefix
      value: github.com/rlmaze/rlmaze/server/conformance/gen
plugins:
  - local: protoc-gen-go
    out: $out
    opt: paths=source_relative
  - local: protoc-gen-connect-go
    out: $out
    opt: [paths=source_relative, simple]
YAML
)
buf generate "$protos" --template "$template" \
	--path "$protos/connectrpc/conformance/v1/config.proto" \
	--path "$protos/connectrpc/conformance/v1/service.proto" \
	--path "$protos/connectrpc/conformance/v1/server_compat.proto"
if [ "$out" != gen ]; then
	diff -r gen "$out"
fi
