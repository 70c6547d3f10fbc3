#!/bin/sh
# Becomes one router: FRR, lldpd and sshd, in its own network, file system view and process table.
#
#   sh -e router.sh ROUTER INTERFACE...
router=$1
shift

hostname "$router"
for interface in lo eth0 "$@"; do
    ip link set "$interface" up
done
echo 1 >/proc/sys/net/ipv4/ip_forward
# Without it, only root can ping. Not higher: the groups of a user's own namespace end there.
echo '0 65535' >/proc/sys/net/ipv4/ping_group_range

own=/run/lab/$router
mkdir -p "$own/run/frr" "$own/run/sshd" "$own/run/lldpd" "$own/run/home"
cp "$own/sshd_config" "$own/run/"
chmod 755 "$own/run"
chown frr:frr "$own/run/frr" "$own/etc-frr" "$own/etc-frr"/*
# The owners of these files may save the configuration: vtysh writes a new file beside the old one.
chmod 2775 "$own/etc-frr"
chmod 640 "$own/etc-frr"/*
for user in netop vty; do
    mkdir -m 700 "$own/run/home/$user"
    chown "$user:$user" "$own/run/home/$user"
done
echo 'PATH=$PATH:/usr/sbin:/sbin' >"$own/run/home/netop/.profile"
mount --bind "$own/etc-frr" /etc/frr
mount -t tmpfs -o mode=1777 tmpfs /var/tmp
mkdir -m 755 /var/tmp/frr
chown frr:frr /var/tmp/frr
[ ! -d /var/lib/frr ] || { mount -t tmpfs -o mode=755 tmpfs /var/lib/frr && chown frr:frr /var/lib/frr; }
# This is last, because it hides the files of the other routers.
mount --bind "$own/run" /run

ssh-keygen -q -t ed25519 -N '' -C "$router" -f "/run/${router}_host_key"
for daemon in mgmtd zebra staticd bgpd ospfd; do
    "/usr/lib/frr/$daemon" -d -A 127.0.0.1 --log "file:/run/frr/$daemon.log"
done
vtysh -b >/run/frr/boot.log 2>&1 || { cat /run/frr/boot.log >&2; exit 1; }

interfaces=$(IFS=,; printf %s "$*")
printf 'configure lldp tx-interval 2\nconfigure system interface pattern %s\n' "$interfaces" >/run/lldpd.conf
lldpd -O /run/lldpd.conf -I "$interfaces" -k

# All logins come from one address. Servers before 9.8 have no such penalties, and do not know the option.
penalties='-o PerSourcePenalties=no'
/usr/sbin/sshd -t -f /run/sshd_config $penalties 2>/dev/null || penalties=''
exec /usr/sbin/sshd -D -E /run/sshd.log -f /run/sshd_config $penalties
