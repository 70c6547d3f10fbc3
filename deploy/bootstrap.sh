#!/bin/sh
# Runs a command in this checkout's environment for one Python and one engine client. Sets that
# environment up first where it is missing, unfinished or out of date.
#
#   sh deploy/bootstrap.sh PYTHON CLIENT COMMAND [ARGUMENT...]
#   sh deploy/bootstrap.sh python3.13 next pytest -m contract
#
# CLIENT is `stable` or `next`: the lock file in deploy/locks. The environment is `.venv-3.13-next`, by `uv`
# where it is on the PATH, else by `venv` and pip. Every package comes from the lock, checked by its hash.
set -eu

python=$1 client=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd -P)
locks=$root/deploy/locks

say() { printf '%s\n' "$*" >&2; }
fail() { say "set-up: $*"; exit 1; }

cd "$root"
# These would put other modules, other versions or another place in the way of the locked packages. What says
# where packages come from (an index, a proxy, a certificate) is left as it is.
unset PYTHONHOME PYTHONPATH PIP_TARGET PIP_PREFIX PIP_ROOT PIP_USER PIP_CONSTRAINT PIP_REQUIRE_HASHES PIP_DRY_RUN
unset UV_TARGET UV_PREFIX UV_SYSTEM_PYTHON UV_CONSTRAINT UV_OVERRIDE UV_REQUIRE_HASHES

case $client in
    stable | next) lock=$locks/client-$client.txt ;;
    *) fail "CLIENT=$client is unknown. Use CLIENT=stable or CLIENT=next." ;;
esac

# Runs on any Python, also one that is far too old to run anything else here, so that it can say so.
# Prints: major.minor, full version, old|new, bare|able (of making an environment), digests of what the installed
# packages and the installed project depend on, and the interpreter itself. The digests hold the checkout's path,
# since an environment that was copied along with its checkout still runs the old one. Of an environment, the interpreter
# that it was made with: it may be the very one that is about to be made anew.
probe='
import hashlib, sys
try:
    import ensurepip, venv
    able = "able"
except ImportError:
    able = "bare"
root, lock, build, script, project = sys.argv[1:]
digest = hashlib.sha256(repr((sys.version, getattr(sys, "base_prefix", sys.prefix), root)).encode())
for path in (lock, build, script):
    digest.update(open(path, "rb").read())
packages = digest.hexdigest()
digest.update(open(project, "rb").read())
version = ".".join(map(str, sys.version_info[:3]))
age = "new" if sys.version_info >= (3, 11) else "old"
inside = getattr(sys, "base_prefix", sys.prefix) != sys.prefix
executable = inside and getattr(sys, "_base_executable", "") or sys.executable
print("%d.%d" % sys.version_info[:2], version, age, able, packages, digest.hexdigest(), executable)
'
advice="Install Python 3.11 or newer (Debian: python3 and python3-venv), or name another interpreter, such as"
advice="$advice PYTHON=/usr/bin/python3.13."
command -v "$python" >/dev/null || fail "there is no program $python. $advice"
facts=$("$python" -c "$probe" "$root" "$lock" "$locks/build.txt" "$root/deploy/bootstrap.sh" "$root/pyproject.toml") ||
    fail "$python does not run. $advice"
read -r minor version age able packages_digest project_digest interpreter <<FACTS
$facts
FACTS

[ "$age" = new ] ||
    fail "$python is Python $version, but 3.11 or newer is needed. Name a newer one, such as PYTHON=python3.13."

environment=$root/.venv-$minor-$client
# The stamps are written last and removed first: what was interrupted has none and is made anew.
packages_stamp=$environment/.packages-complete
project_stamp=$environment/.project-complete

is_current() { [ -f "$1" ] && [ "$(cat "$1")" = "$2" ] && [ -x "$environment/bin/python" ]; }
stamp() { printf '%s\n' "$2" >"$1.new" && mv "$1.new" "$1"; }

with_uv() { command -v uv >/dev/null; }

make_environment() {
    if with_uv; then
        uv venv --quiet --no-project --python "$interpreter" "$environment"
    elif [ "$able" = able ]; then
        "$interpreter" -m venv "$environment"
    else
        fail "$python (Python $version) cannot make an environment: its venv module is missing." \
            "Install the Debian package python3-venv (for this very Python: python$minor-venv), or uv."
    fi
}

install() {
    if with_uv; then
        uv pip install --quiet --python "$environment/bin/python" "$@"
    else
        # By the setting's variable: the pip of Debian 12 would else warn, and newer ones lack the option.
        PIP_USE_PEP517=1 "$environment/bin/python" -m pip --quiet --no-input --disable-pip-version-check \
            install --no-compile --progress-bar off "$@"
    fi
}

# Explicitly, since PYTHONDONTWRITEBYTECODE would else leave every start to compile every import again. Files
# that do not compile are told by whatever runs them.
compile_bytecode() { "$environment/bin/python" -W ignore -m compileall -qq "$@" || true; }

set_up_packages() {
    say "set-up: making $environment (Python $version, client $client); a minute or two, once"
    rm -f "$packages_stamp" "$project_stamp"
    rm -rf "$environment"
    make_environment
    # Without build isolation, or what builds the few packages that come as source would be fetched unlocked.
    install --require-hashes --no-deps -r "$locks/build.txt"
    install --require-hashes --no-deps --no-build-isolation -r "$lock"
    compile_bytecode -j 0 "$environment/lib"
    stamp "$packages_stamp" "$packages_digest"
}

set_up_project() {
    rm -f "$project_stamp"
    install --no-deps --no-build-isolation --no-index --editable "$root"
    stamp "$project_stamp" "$project_digest"
}

set_up() {
    trap '[ $? = 0 ] || say "set-up: not finished, for the reason above; the same command tries again"' EXIT
    # Two verbs started at once must not build the same environment over each other.
    if command -v flock >/dev/null; then flock 9; fi
    is_current "$packages_stamp" "$packages_digest" || set_up_packages
    is_current "$project_stamp" "$project_digest" || set_up_project
}

if ! is_current "$project_stamp" "$project_digest"; then
    (set_up) 9<"$root/deploy/bootstrap.sh"
fi
compile_bytecode supervisor jobrunner sdk blocks

VIRTUAL_ENV=$environment PATH=$environment/bin:$PATH
export VIRTUAL_ENV PATH
exec "$@"
