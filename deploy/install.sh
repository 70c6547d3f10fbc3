#!/bin/sh
# Installs the worker for production: an environment with what the worker needs to run, and nothing to build or test.
#
#   sh deploy/install.sh PYTHON CLIENT DIRECTORY [LATER]
#   sh deploy/install.sh python3 stable /opt/neops-supervisor
#
# CLIENT is `stable` or `next`: the lock file in deploy/locks (`runtime-CLIENT.txt`). Every package comes from the lock,
# checked by its hash, as a wheel: nothing that is downloaded is run while it is installed. All is
# downloaded and checked before the old environment makes place, and a failure puts that one back; where this was killed, the
# next run does. A directory that this has not made (installation.sh) is never replaced. LATER is where the directory will be, if that is elsewhere (service.sh, DESTDIR).
set -eu
# The service is another user: a umask of an administrator, such as 077, would have it find a program that it may not start.
umask 022

[ $# -eq 3 ] || [ $# -eq 4 ] || { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
python=$1 client=$2 directory=$3 later=${4:-$3}
root=$(cd "$(dirname "$0")/.." && pwd -P)
lock=$root/deploy/locks/runtime-$client.txt
# shellcheck source=deploy/installation.sh
. "$root/deploy/installation.sh"

say() { printf '%s\n' "$*" >&2; }
fail() { say "install: $*"; exit 1; }

unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_CONSTRAINT PIP_REQUIRE_HASHES PIP_DRY_RUN
[ -f "$lock" ] || fail "CLIENT=$client is unknown. Use stable or next."
case $directory in /*) ;; *) fail "DIRECTORY has to be an absolute path, such as /opt/neops-supervisor." ;; esac
old=$directory.old
unfinished=$directory/.neops-supervisor-unfinished
# An install that was killed, or had no power any more, leaves this file, and beside it the last good environment.
if [ -f "$unfinished" ] && [ ! -L "$directory" ] && [ -z "$(why_no_installation "$old")" ]; then
    say "install: an install into $directory was cut off. What was there before it is put back first."
    rm -rf "$directory"
    mv "$old" "$directory"
fi
for there in "$directory" "$old"; do
    [ -e "$there" ] || [ -L "$there" ] || continue
    why=$(why_no_installation "$there")
    [ -z "$why" ] || fail "$there is there, and is no installation of the worker: it $why." \
        "Nothing is done. Name another directory, or move it away yourself."
done
"$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' ||
    fail "$python is no Python 3.11 or newer with venv. Install it (Debian: python3 and python3-venv)."
why=$(why_hidden "$python" "$later")
[ -z "$why" ] || say "install: warning: $why"

mkdir -p "$(dirname "$directory")"
workshop=$(mktemp -d)
is_begun=
# An environment's scripts hold its path, so it can't be made elsewhere and moved.
finish() {
    code=$?
    trap '' HUP INT TERM # another signal does not cut off the way back
    rm -rf "$workshop"
    [ "$code" != 0 ] && [ -n "$is_begun" ] || return 0
    if [ -d "$old" ]; then
        rm -rf "$directory"
        mv "$old" "$directory"
    elif [ -z "$was_there" ]; then
        rm -rf "$directory"
    fi
    say "install: not finished, for the reason above. $directory is as it was."
}
trap finish EXIT
# A lost connection, too: where a signal is not trapped, the shell ends without what is trapped for EXIT.
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM

pip() { "$workshop/tools/bin/python" -m pip --quiet --no-input --disable-pip-version-check "$@"; }

"$python" -m venv "$workshop/tools"
pip install --require-hashes --no-deps --only-binary :all: -r "$root/deploy/locks/wheel.txt"
# Downloaded and checked before anything is changed.
pip download --require-hashes --no-deps --only-binary :all: --dest "$workshop/wheels" -r "$lock"
pip wheel --no-deps --no-build-isolation --no-index --wheel-dir "$workshop/wheels" "$root"

was_there=
# Where only the old one is there, an install was cut off: it is the last good one, and goes when the new one is whole.
if [ -d "$directory" ]; then
    was_there=yes
    rm -rf "$old"
fi
is_begun=yes # before the move: an end in between puts back what was moved
[ -z "$was_there" ] || mv "$directory" "$old"
mkdir "$directory"
: >"$unfinished"
"$python" -m venv --without-pip "$directory"
echo "Made by deploy/install.sh. With it goes all of this directory: see deploy/README.md." >"$directory/$mark"
pip --python "$directory/bin/python" install --no-compile --no-deps --no-index "$workshop"/wheels/*.whl
# Now: the service may not write there later, and would compile every import again at each start.
"$directory/bin/python" -W ignore -m compileall -qq -j 0 "$directory/lib" || true
# The new one is whole from here on, and the old one, of which half may be gone, is not put back any more.
trap '' HUP INT TERM
is_begun=
rm -f "$unfinished"
rm -rf "$old"
say "install: $("$directory/bin/supervisor" --version) is in $directory ($(du -sm "$directory" | cut -f1) MB)"
