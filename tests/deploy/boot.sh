# Boots a systemd of its own, in namespaces of its own, and has it start drive.target (see private_systemd.py).
#
#   unshare --mount --pid --uts --ipc --fork --kill-child sh boot.sh UNITS CGROUP
#
# UNITS is a directory of units; CGROUP is the name of the control group that is made for this manager.
set -eu

units=$1 cgroup=$2
if [ "${3-}" != inside ]; then
    mount --make-rprivate /
    # One tree of version 2, whatever this machine has mounted, and in it a group for all that runs here.
    umount -R /sys/fs/cgroup
    mount -t cgroup2 none /sys/fs/cgroup
    mkdir "/sys/fs/cgroup/$cgroup"
    echo $$ >"/sys/fs/cgroup/$cgroup/cgroup.procs"
    exec unshare --cgroup sh "$0" "$units" "$cgroup" inside
fi

mount -t proc proc /proc
# Seen afresh, this group is the root of the tree.
umount /sys/fs/cgroup
mount -t cgroup2 none /sys/fs/cgroup
# Nothing of this machine's own may be changed: its configuration, its kernel's settings, the state of its services.
for shared in /etc /proc/sys; do
    mount --bind "$shared" "$shared"
    mount -o remount,bind,ro "$shared"
done
mount -t tmpfs -o mode=755 none /run
mount -t tmpfs -o mode=755 none /var/lib
mkdir -p /run/systemd/system
cp -r "$units"/. /run/systemd/system/
export container=unshare
exec /usr/lib/systemd/systemd --system --unit=drive.target --log-target=console --show-status=no
