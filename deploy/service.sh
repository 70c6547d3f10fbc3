#!/bin/sh
# Installs the worker as a service, and takes it away again: `make install`, `make uninstall`.
#
#   sh deploy/service.sh install|uninstall PYTHON CLIENT DESTDIR PREFIX
#
# The environment goes to PREFIX (deploy/install.sh), the units to /etc/systemd/system, and an example of the settings to
# /etc/neops-supervisor.env, unless there is one, the manual page to where `man supervisor` finds it, and a link to where a shell
# finds `supervisor`, unless there is a program of that name: all below DESTDIR, if that is given. Nothing is started or enabled. Uninstall removes what install has made (installation.sh), and nothing else.
set -eu
# The service is another user: a umask of an administrator, such as 077, would have it find a program that it may not start.
umask 022

verb=$1 python=$2 client=$3 destdir=${4%/} prefix=${5%/}
root=$(cd "$(dirname "$0")/.." && pwd -P)
environment=$destdir$prefix
units=$destdir/etc/systemd/system
settings=$destdir/etc/neops-supervisor.env
example=$root/deploy/neops-supervisor.env.example
link=$destdir/usr/local/bin/supervisor
program=$prefix/bin/supervisor
manual=$destdir/usr/local/share/man/man1/supervisor.1
# shellcheck source=deploy/installation.sh
. "$root/deploy/installation.sh"
names="neops-supervisor.service neops-supervisor@.service neops-local.service"

say() { printf '%s\n' "$*" >&2; }
fail() { say "$verb: $*"; exit 1; }

own="Nothing is done. Name a directory of its own, such as /opt/neops-supervisor."
case $prefix/ in
    *[!A-Za-z0-9._/+-]* | [!/]* | *//* | */./* | */../*)
        fail "PREFIX=$prefix is no absolute path that is written out with letters, digits, and . _ + -. $own" ;;
esac
case $prefix in
    /usr/local/bin | /usr/local/sbin | /usr/local/lib | /usr/local/share | /usr/local/etc | /usr/local/src | /var/lib) is_shared=yes ;;
    /usr/*/* | /home/*/* | /etc/*/* | /var/*/*) is_shared= ;;
    /usr/* | /home/* | /etc/* | /var/* | /bin/* | /sbin/* | /lib*/* | /boot/* | /dev/* | /proc/* | /sys/*) is_shared=yes ;;
    /*/*) is_shared= ;;
    *) is_shared=yes ;;
esac
[ -z "$is_shared" ] || fail "PREFIX=$prefix is a directory that others use, too. $own"
case $destdir in
    '' | /*) ;;
    *) fail "DESTDIR=$destdir is no absolute path." ;;
esac

# What names the place where the environment is made now is given the one where it will be.
name_the_later_place() {
    grep -rlI -F "$environment" "$environment/bin" "$environment/pyvenv.cfg" | while read -r file; do
        [ -L "$file" ] || sed -i "s|$environment|$prefix|g" "$file"
    done
    find "$environment/lib" -name __pycache__ -prune -exec rm -rf {} +
    "$environment/bin/python3" -W ignore -m compileall -qq -j 0 -s "$destdir" -p / "$environment/lib" || true
}

# What `deploy unit` warns of: below DESTDIR that the program is not where it will be, which is known.
if [ -n "$destdir" ]; then exec 3>/dev/null; else exec 3>&2; fi

write_unit() {
    # `systemctl mask` makes a link to /dev/null, `systemctl link` one to a file of another's: neither is written through.
    if [ -L "$units/$1" ]; then
        say "install: $units/$1 is a link to $(readlink "$units/$1") and stays: this unit is not written. A link to" \
            "/dev/null masks the unit: systemctl unmask $1, then install again."
        return
    fi
    case $1 in
        *@*) form=--instance ;;
        *local*) form=--local ;;
        *) form= ;;
    esac
    # shellcheck disable=SC2086  # no form is no word
    text=$("$environment/bin/python3" -P -m supervisor deploy unit $form 2>&3)
    new=$(mktemp "$units/.$1.XXXXXX")
    printf '%s\n' "$text" | sed "s|$environment/|$prefix/|g" >"$new"
    chmod 0644 "$new"
    mv -fT "$new" "$units/$1"
}

is_our_link() { [ -L "$link" ] && [ "$(readlink "$link")" = "$program" ]; }

remove_empty_above() {
    place=$(dirname "$1")
    while [ -n "$destdir" ] && [ "$place" != "$destdir" ] && [ "$place" != / ]; do
        rmdir "$place" 2>/dev/null || [ ! -e "$place" ] || return 0
        place=$(dirname "$place")
    done
}

case $verb in
    install)
        # Below DESTDIR it may be for another machine or an image, whose Python is put in its place by others: install.sh warns.
        why=
        if [ -z "$destdir" ]; then
            why=$(why_hidden "$python" "$prefix")
        elif is_hidden "$prefix"; then
            why="The service can't start: its unit hides home and temporary directories, and PREFIX=$prefix is in one."
        fi
        [ -z "$why" ] || fail "$why Nothing is done."
        sh "$root/deploy/install.sh" "$python" "$client" "$environment" "$prefix"
        [ -z "$destdir" ] || name_the_later_place
        mkdir -p "$units"
        for name in $names; do write_unit "$name"; done
        install -D -m 0644 "$root/deploy/supervisor.1" "$manual"
        if [ -e "$link" ] || [ -L "$link" ]; then
            is_our_link || say "install: $link is another's and stays. The worker's program is $program."
        else
            mkdir -p "$(dirname "$link")"
            ln -s "$program" "$link"
        fi
        if [ -e "$settings" ]; then
            say "install: $settings is left as it is. Compare it with deploy/neops-supervisor.env.example."
        else
            install -m 0640 "$example" "$settings"
        fi
        say "install: done. Give NEOPS_ENGINE_URL in /etc/neops-supervisor.env, then: systemctl daemon-reload &&" \
            "systemctl enable --now neops-supervisor"
        ;;
    uninstall)
        why=$(why_no_installation "$environment")
        [ -z "$why" ] || fail "$environment is no installation of the worker: it $why. Nothing is done." \
            "Give the PREFIX and the DESTDIR with which it was installed, or remove it yourself."
        # Another program of this name, a well-known one, has a page as well.
        ! cmp -s "$manual" "$root/deploy/supervisor.1" || rm -f "$manual"
        ! is_our_link || rm -f "$link"
        for name in $names; do
            if [ -L "$units/$name" ]; then
                say "uninstall: this unit stays, it is a link to $(readlink "$units/$name"): $units/$name"
                continue
            fi
            if [ -e "$units/$name" ] && ! grep -qF "$prefix/bin/" "$units/$name"; then
                say "uninstall: this unit stays, it starts no program of $prefix: $units/$name"
                continue
            fi
            rm -f "$units/$name"
            [ ! -d "$units/$name.d" ] || say "uninstall: your drop-ins stay: $units/$name.d"
        done
        # What a person has written stays.
        if [ -e "$settings" ] && ! cmp -s "$settings" "$example"; then
            say "uninstall: your settings stay: $settings"
        else
            rm -f "$settings"
        fi
        rm -rf "$environment"
        # Directories that install has made below DESTDIR, where nothing else is in them. DESTDIR itself stays.
        for place in "$environment" "$link" "$manual" "$units/unit" "$settings"; do remove_empty_above "$place"; done
        [ ! -e "$destdir/var/lib/neops-supervisor" ] ||
            say "uninstall: the journal stays: $destdir/var/lib/neops-supervisor. deploy/README.md says how to remove it."
        say "uninstall: done. Now: systemctl daemon-reload"
        ;;
    *) fail "there is install and uninstall." ;;
esac
