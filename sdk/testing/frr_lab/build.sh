#!/bin/sh
# Builds the lab's network and accounts. The lab's first process runs it once, in its namespaces, with its own /run. The
# files are in /run/lab. The machine sees nothing that is written or mounted here, and nothing of it outlives the process.
#
#   sh -e build.sh MANAGEMENT_ADDRESS ROUTER...
management=$1
shift

for file in passwd group shadow; do
    mount --bind "/run/lab/$file" "/etc/$file"
done
# vtysh asks PAM. The machine's file would make it look into the shadow file.
mount --bind /run/lab/pam-frr /etc/pam.d/frr
# The distribution lets only a group of the machine run it, and the lab lacks that group. A user who is not in the group
# can't copy it either: in such a user's lab nobody learns the neighbours.
if cp /usr/sbin/lldpcli /run/lab/lldpcli 2>/run/lab/lldpcli.refused; then
    chmod 755 /run/lab/lldpcli
    mount --bind /run/lab/lldpcli /usr/sbin/lldpcli
fi
mount -t tmpfs -o mode=1777 tmpfs /var/tmp

ip link set lo up
ip link add labbr0 type bridge forward_delay 0
ip address add "$management" dev labbr0
ip link set labbr0 up
for router; do
    ip netns add "$router"
done
ip -batch /run/lab/links
