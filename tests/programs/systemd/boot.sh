# Boots a systemd of its own, in namespaces of its own, and has it start test.target (see private_systemd.py).
#
#   unshare --mount --pid --uts --ipc --fork --kill-child sh boot.sh UNITS CGROUP
#
# UNITS is a directory of units; CGROUP is the name of the control group that is made for this manager. A file PREPARE
# beside UNITS is run just before, where everything is mounted that the manager will see.
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
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys
mount -t tmpfs -o mode=755 none /run
# What is written to /etc goes to memory; where there is no overlay, nothing can be written.
mkdir -p /run/etc/upper /run/etc/work
if ! mount -t overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work none /etc; then
    mount --bind /etc /etc
    mount -o remount,bind,ro /etc
fi
mount -t tmpfs -o mode=755 none /var/lib
# Where PrivateTmp= has its directories, which nobody would remove when this manager is killed.
case $units in
    /var/tmp/*) ;;
    *) mount -t tmpfs -o mode=1777 none /var/tmp ;;
esac
mkdir -p /run/systemd/system
cp -r "$units"/. /run/systemd/system/
if [ -e "$(dirname "$units")/prepare.sh" ]; then
    . "$(dirname "$units")/prepare.sh"
fi
# As systemd does itself where it is no container's: what LoadCredential= mounts would not be seen by the service else.
# Shared within these namespaces alone, since all of it was made private before.
mount --make-rshared /
export container=unshare
exec /usr/lib/systemd/systemd --system --unit=test.target --log-target=console --show-status=no
