#!/bin/sh
# Runs what touches processes as a user without rights: the tests of whatever starts some, the zoo, the known attacks, what
# a job can't reach, and the demo. Started by root, it takes a user id that nobody has, without capabilities, without a
# cgroup that this user may write, and at ordinary priority, in a copy of this checkout that is removed at the end. Started
# by anybody else, it runs here, as that user.
#
#   sh deploy/unprivileged.sh PYTHON CLIENT [PYTEST ARGUMENT...]
#   sh deploy/unprivileged.sh python3 stable tests/kill -x
#
# With arguments for pytest only these tests run. PYTHON is taken where that user may run it, else what Debian installs.
set -u

python=$1 client=$2
shift 2
root=$(cd "$(dirname "$0")/.." && pwd -P)

say() { printf '%s\n' "$*" >&2; }
fail() { say "unprivileged: $*"; exit 1; }

# What starts no process of the worker's, asks for no right that a user lacks, or is about this project's texts and tools.
process_tests='-m "not pure"'
for folder in packaging typing docs deploy sdk blocks programs; do
    process_tests="$process_tests --ignore=tests/$folder"
done

# run_all [PYTEST ARGUMENT...]: run every part, also after one that failed.
run_all() {
    if [ $# -gt 0 ]; then
        sh deploy/bootstrap.sh "$python" "$client" python -m pytest "$@"
        return
    fi
    sh deploy/bootstrap.sh "$python" "$client" true || fail "the environment could not be set up"
    # Else each of the parallel workers compiles every module of tests, at the same time as the others. Meanwhile the zoo,
    # which waits more than it computes.
    make test PYTHON="$python" CLIENT="$client" ARGS="$process_tests --collect-only -qq -n 0" >/dev/null 2>&1 &
    compiling=$!
    failed=''
    for verb in zoo test redteam isolation demo; do
        case $verb in
            test)
                arguments=$process_tests
                wait "$compiling" # what goes wrong there, the tests will tell
                ;;
            redteam) arguments=--short ;;
            *) arguments='' ;;
        esac
        make "$verb" PYTHON="$python" CLIENT="$client" ARGS="$arguments" && continue
        [ "$verb" = test ] && sh deploy/tests_again.sh "$python" "$client" && continue
        failed="$failed $verb"
    done
    [ -z "$failed" ] || fail "failed as user $(id -u):$failed"
}

if [ "$(id -u)" != 0 ]; then
    cd "$root" || exit 1
    run_all "$@"
    exit
fi

# processes_of USER: the status files of the processes that run under this user id.
processes_of() { grep -ls "^Uid:[[:space:]]*$1[[:space:]]" /proc/[0-9]*/status; }

# described: for each status file that comes in, whose process is still there, what it says of it, and the command line.
described() {
    while read -r file; do
        status=$(grep -s '^Name:\|^State:\|^Pid:\|^PPid:' "$file") || continue
        printf '%s\n' "$status"
        tr '\0' ' ' 2>/dev/null <"${file%status}cmdline" | cut -c 1-300
        echo
    done
}

# A range that systemd keeps for users that come and go. A user id for each run: the kernel counts processes by user id,
# and what is left at the end must be this run's.
free_user() {
    first=61184 count=4000 tried=0
    while [ "$tried" -lt "$count" ]; do
        candidate=$((first + ($$ + tried) % count))
        if ! getent passwd "$candidate" >/dev/null && [ -z "$(processes_of "$candidate")" ]; then
            echo "$candidate"
            return
        fi
        tried=$((tried + 1))
    done
    fail "every user id from $first on is taken"
}

# as_user COMMAND...: under that user id, without a capability and without a way to get one back. The rest of root's
# environment stays: it says where packages come from.
as_user() {
    env -u PYENV_ROOT -u PIP_CACHE_DIR -u UV_CACHE_DIR -u XDG_RUNTIME_DIR -u MAKEFLAGS -u MAKELEVEL -u MFLAGS \
        HOME="$place/home" USER=u LOGNAME=u TMPDIR="$place/t" PATH="$path" \
        XDG_CACHE_HOME="$place/home/cache" XDG_CONFIG_HOME="$place/home/config" \
        XDG_DATA_HOME="$place/home/data" XDG_STATE_HOME="$place/home/state" \
        nice -n "$((-$(nice)))" prlimit --nice=0:0 --rtprio=0:0 \
        setpriv --reuid="$user" --regid="$user" --clear-groups --inh-caps=-all --ambient-caps=-all \
        --bounding-set=-all --no-new-privs "$@"
}

# stop STATUS: what runs is ended before anything is waited for. Root's own part first, so that it starts nothing more.
stop() {
    trap '' TERM INT HUP # make and a terminal send them twice, and half a cleaning is none
    if [ -n "${!:-}" ]; then
        kill -9 "$!"
        as_user sh -c 'kill -9 -1'
    fi 2>/dev/null
    exit "$1"
}

# A process that is still there when all is over is a failure, and must not outlive the run. `kill -9 -1` by a user
# without capabilities reaches every process of that user, also those that start meanwhile, and no other.
clean_up() {
    trap '' TERM INT HUP
    # Some end by themselves: git, for one, tidies up behind the commits of a test. On a busy machine, which may also stand
    # still, that takes its time; what is forgotten stays for minutes.
    patience=$(($(date +%s) + 20))
    while [ "$(date +%s)" -lt "$patience" ] && [ -n "$(processes_of "$user")" ]; do
        sleep 0.1
    done
    left=$(processes_of "$user" | described)
    as_user sh -c 'kill -9 -1' 2>/dev/null
    cd / && rm -rf "$place"
    [ -z "$left" ] || fail "these processes were still there at the end:
$left"
}

# The files as they stand, changed or new, without what git ignores; without git, all that looks like source.
copy_checkout() {
    cd "$root" || return
    if git -c safe.directory='*' ls-files --cached --others --exclude-standard -z >"$place/files" 2>/dev/null; then
        tar --create --null --files-from="$place/files" --ignore-failed-read --warning=no-failed-read
    else
        tar --create --exclude='./.venv*' --exclude='./.git' --exclude=__pycache__ .
    fi | tar --extract --directory="$place/checkout" --no-same-owner
}

# The first of these that the user may run and make environments with: the one that was asked for may lie in root's home.
usable_python() {
    minor=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])') || fail "$python does not run"
    for candidate in "$python" "/usr/bin/python$minor" "/usr/local/bin/python$minor" /usr/bin/python3; do
        check='import ensurepip, sys, venv; print(sys.executable) if sys.version_info >= (3, 11) else sys.exit(1)'
        as_user "$candidate" -c "$check" 2>/dev/null && return
    done
    fail "no Python that a user without rights may run (Debian: python3 and python3-venv)"
}

user=$(free_user) || exit 1
path=$PATH
place=$(mktemp -d "${TMPDIR:-/tmp}/u.XXXXXX") || exit 1
trap clean_up EXIT
trap 'stop 143' TERM
trap 'stop 130' INT
trap 'stop 129' HUP

# Short names: the tests make sockets below it, whose paths may have 107 characters.
mkdir "$place/home" "$place/t" "$place/checkout"
copy_checkout || fail "this checkout could not be copied"
chown -R "$user:$user" "$place"
as_user true || fail "root may not become another user here"
as_user test -w "$place/t" || fail "user $user can't get to $place; name another place by TMPDIR"
cgroup=$(as_user find /sys/fs/cgroup -name cgroup.procs -writable 2>/dev/null | head -n 1)
[ -z "$cgroup" ] || fail "user $user may write to a cgroup: $cgroup"
# Without the directories that the user can't enter: a program there is found and then refused.
path=$(as_user sh -c 'IFS=:; for each in $PATH; do [ -x "$each" ] && printf "%s:" "$each"; done')
path=${path%:}
python=$(usable_python) || exit 1
say "unprivileged: user $user, $python, in $place"
cd "$place/checkout" || exit 1
# In the background, as a shell runs its traps only when what it waits for in the foreground has ended. The shell gives
# such a process no input, and has it ignore the signals of a terminal, which all that it starts would inherit.
exec 3<&0
as_user env --default-signal=INT,QUIT sh deploy/unprivileged.sh "$python" "$client" "$@" <&3 3<&- &
wait "$!"
