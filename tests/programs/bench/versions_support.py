"""A repository with versions to compare, whose environments are made in no time."""

import subprocess
import sys
from pathlib import Path

# The packages of whoever runs this. The code is that of the copy, unless PYTHONPATH names another.
SET_UP = f"""#!/bin/sh
shift 2
root=$(cd "$(dirname "$0")/.." && pwd -P)
bin=$root/.venv-test/bin
mkdir -p "$bin"
cat >"$bin/python" <<PROGRAM
#!/bin/sh
PYTHONPATH=\\${{PYTHONPATH:-$root}} exec {sys.executable} "\\$@"
PROGRAM
cat >"$bin/supervisor" <<PROGRAM
#!/bin/sh
exec $bin/python -m supervisor "\\$@"
PROGRAM
chmod +x "$bin/python" "$bin/supervisor"
VIRTUAL_ENV=$root/.venv-test exec "$@"
"""
BROKEN = "#!/bin/sh\necho 'set-up: no such package: frobnicate' >&2\nexit 3\n"
# Leaves a directory, as a pip does that is killed.
ENDLESS = '#!/bin/sh\nmktemp -d >/dev/null\necho $$ >>"$BENCH_TEST_PIDS"\nsleep 600\n'
_IDENTITY = ("-c", "user.name=Test", "-c", "user.email=test@localhost", "-c", "commit.gpgsign=false")


def git(repository: Path, *arguments: str) -> str:
    """Run git there and return what it printed."""
    command = ["git", "-C", str(repository), *_IDENTITY, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def commit(repository: Path, set_up: str) -> str:
    """Commit all files, with this text as the set-up; return the hash."""
    (repository / "deploy").mkdir(exist_ok=True)
    (repository / "deploy" / "bootstrap.sh").write_text(set_up)
    git(repository, "add", "--all")
    git(repository, "commit", "--quiet", "--message=a version")
    return git(repository, "rev-parse", "HEAD")
