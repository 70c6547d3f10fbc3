#!/bin/sh
# Installs the worker as a service, and takes it away again: `make install`, `make uninstall`.
#
#   sh deploy/service.sh install|uninstall PYTHON CLIENT DESTDIR PREFIX
#
# The environment goes to PREFIX (deploy/install.sh), the units to /etc/systemd/system, and an example of the settings to
# /etc/neops-supervisor.env, unless there is one, and the manual page to where `man supervisor` finds it: all below DESTDIR, if
# that is given. Nothing is started or enabled.
set -eu

verb=$1 python=$2 client=$3 destdir=${4%/} prefix=${5%/}
root=$(cd "$(dirname "$0")/.." && pwd -P)
environment=$destdir$prefix
units=$destdir/etc/systemd/system
settings=$destdir/etc/neops-supervisor.env
example=$root/deploy/neops-supervisor.env.example
manual=$destdir/usr/local/share/man/man1/supervisor.1
names="neops-supervisor.service neops-supervisor@.service neops-local.service"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$verb: $*"; exit 1; }

case $prefix in
    /*/*) ;;
    *) fail "PREFIX=$prefix is not a directory of its own, such as /opt/neops-supervisor." ;;
esac
case $destdir in
    '' | /*) ;;
    *) fail "DESTDIR=$destdir is no absolute path." ;;
esac
[ ! -e "$environment" ] || [ -x "$environment/bin/supervisor" ] ||
    fail "$environment is there and is no installation of the worker. Nothing is done."

# What names the place where the environment is made now is given the one where it will be.
name_the_later_place() {
    grep -rlI -F "$environment" "$environment/bin" "$environment/pyvenv.cfg" | while read -r file; do
        [ -L "$file" ] || sed -i "s|$environment|$prefix|g" "$file"
    done
    find "$environment/lib" -name __pycache__ -prune -exec rm -rf {} +
    "$environment/bin/python3" -W ignore -m compileall -qq -j 0 -s "$destdir" -p / "$environment/lib" || true
}

write_unit() {
    case $1 in
        *@*) form=--instance ;;
        *local*) form=--local ;;
        *) form= ;;
    esac
    # shellcheck disable=SC2086  # no form is no word
    text=$("$environment/bin/python3" -P -m supervisor deploy unit $form 2>/dev/null)
    printf '%s\n' "$text" | sed "s|$environment/|$prefix/|g" >"$units/$1"
    chmod 0644 "$units/$1"
}

case $verb in
    install)
        sh "$root/deploy/install.sh" "$python" "$client" "$environment"
        [ -z "$destdir" ] || name_the_later_place
        mkdir -p "$units"
        for name in $names; do write_unit "$name"; done
        install -D -m 0644 "$root/deploy/supervisor.1" "$manual"
        if [ -e "$settings" ]; then
            say "install: $settings is left as it is. Compare it with deploy/neops-supervisor.env.example."
        else
            install -m 0640 "$example" "$settings"
        fi
        say "install: done. Give NEOPS_ENGINE_URL in /etc/neops-supervisor.env, then: systemctl daemon-reload &&" \
            "systemctl enable --now neops-supervisor"
        ;;
    uninstall)
        rm -rf "$environment"
        # Another program of this name, a well-known one, has a page as well.
        ! cmp -s "$manual" "$root/deploy/supervisor.1" || rm -f "$manual"
        for name in $names; do
            rm -f "$units/$name"
            [ ! -d "$units/$name.d" ] || say "uninstall: your drop-ins stay: $units/$name.d"
        done
        # What a person has written stays.
        if [ -e "$settings" ] && ! cmp -s "$settings" "$example"; then
            say "uninstall: your settings stay: $settings"
        else
            rm -f "$settings"
        fi
        [ -z "$destdir" ] || [ ! -d "$destdir" ] || find "$destdir" -depth -mindepth 1 -type d -empty -delete
        [ ! -e "$destdir/var/lib/neops-supervisor" ] ||
            say "uninstall: the journal stays: $destdir/var/lib/neops-supervisor. deploy/README.md says how to remove it."
        say "uninstall: done. Now: systemctl daemon-reload"
        ;;
    *) fail "there is install and uninstall." ;;
esac
