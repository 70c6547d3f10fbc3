"""A Python for `make install`, which downloads nothing: it makes a worker that only says its name."""

from pathlib import Path

from tests.deploy.fake_installation import PACKAGE

_TEXT = f"""\
#!/bin/sh
# Called as `-c CODE`, `-m venv [--without-pip] DIRECTORY`, or with something of pip's, of compileall's or the worker's.
for last; do :; done
case "$*" in
    *base_prefix*) echo /usr/bin/python3 ;;
    *"deploy unit"*) echo "ExecStart=$(dirname "$0")/supervisor" ;;
    "-m venv "*)
        mkdir -p "$last/bin" "$last/{PACKAGE}"
        touch "$last/pyvenv.cfg"
        for name in python python3; do cp "$0" "$last/bin/$name"; done
        printf '#!/bin/sh\\necho neops-supervisor\\n' >"$last/bin/supervisor"
        chmod 0755 "$last/bin/supervisor"
        ;;
esac
"""


def make_python(directory: Path) -> Path:
    """Put it into this directory, and return its path."""
    python = directory / "python3"
    python.write_text(_TEXT)
    python.chmod(0o755)
    return python
