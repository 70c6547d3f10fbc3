#!/bin/sh
# Resolves the locked requirements anew. For development: one file for each engine client, and one for what builds the
# packages that are published as source only. For production: one for each client, and one for what builds the wheel.
#
#   sh deploy/lock.sh PYTHON
#
# Needs `uv`, from the PATH or else installed by pip into an environment that is thrown away.
# The files serve every Python from 3.11 and name no index: whoever installs decides where packages come from.
set -eu

python=$1
root=$(cd "$(dirname "$0")/.." && pwd -P)
cd "$root"
unset PYTHONHOME PYTHONPATH

workshop=$(mktemp -d)
trap 'rm -rf "$workshop"' EXIT
uv=$(command -v uv) || {
    printf 'lock: uv is not on the PATH; installing it for this run\n' >&2
    "$python" -m venv "$workshop/uv"
    "$workshop/uv/bin/python" -m pip --quiet --no-input --disable-pip-version-check install uv
    uv=$workshop/uv/bin/uv
}

# Written elsewhere and copied over the lock: a resolution that fails leaves the old lock as it was.
compile() {
    target=deploy/locks/$1
    shift
    "$uv" pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
        --upgrade --no-emit-index-url --no-emit-find-links --output-file "$workshop/lock.txt" "$@" >/dev/null
    cat "$workshop/lock.txt" >"$target"
    printf 'lock: wrote %s\n' "$target" >&2
}

for client in stable next; do
    compile "client-$client.txt" pyproject.toml --all-extras --group dev \
        --constraints "deploy/locks/client-$client.in"
done
compile build.txt deploy/locks/build.in
# For production: what the others have of it, in the same versions, and nothing else.
compile wheel.txt deploy/locks/wheel.in --constraints deploy/locks/client-stable.txt
for client in stable next; do
    compile "runtime-$client.txt" pyproject.toml --extra metrics --constraints "deploy/locks/client-$client.txt"
done
