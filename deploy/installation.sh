# What makes a directory an installation of the worker, for install.sh and service.sh, which read this file. Neither removes or
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
