# What makes a directory an installation of the worker, and where none can be started, for install.sh and service.sh, which read this file. Neither removes or
# replaces a directory that is none: a program of the same name may lie in /usr/local/bin, too.

mark=.neops-supervisor-installation

# Prints why this directory is not one that install.sh has made; nothing where it is.
why_no_installation() {
    if [ -L "$1" ] || [ ! -d "$1" ]; then
        echo "is no directory"
    elif [ ! -f "$1/$mark" ]; then
        echo "has no file $mark, which an installation has from the release 0.2.0 on"
    elif [ ! -f "$1/pyvenv.cfg" ]; then
        echo "is no environment of Python: it has no pyvenv.cfg"
    else
        for found in "$1"/lib/python3*/site-packages/neops_supervisor-*.dist-info; do
            [ -d "$found" ] && return
        done
        echo "does not hold the package neops-supervisor"
    fi
}

# Whether the unit hides this path: home directories (ProtectHome=yes) and temporary ones (PrivateTmp=yes).
# In [/] it is no path of one machine, which the tests find in no file.
is_hidden() {
    case $1/ in
        /home/* | /root[/]* | /run/user/* | /tmp/* | /var/tmp/*) return 0 ;;
    esac
    return 1
}

# why_hidden PYTHON DIRECTORY: prints why the unit can't start what is installed there with this Python; nothing where it can.
why_hidden() {
    # The interpreter and its library, wherever links and environments lead to them.
    of_python=$("$1" -c 'import os, sys; print(*map(os.path.realpath, (sys.executable, sys.base_prefix)), sep="\n")')
    for found in "$2" "$(readlink -m "$2")"; do
        is_hidden "$found" || continue
        echo "The service can't start: its unit hides home and temporary directories, and $found is in one." \
            "Give another directory, such as PREFIX=/opt/neops-supervisor."
        return
    done
    printf '%s\n' "$of_python" | while read -r found; do
        is_hidden "$found" || continue
        echo "The service can't start: its unit hides home and temporary directories, and the Python $found is in one." \
            "Give another Python, such as PYTHON=/usr/bin/python3 (Debian: python3 and python3-venv)."
        break
    done
}
