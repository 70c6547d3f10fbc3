#!/bin/sh
# Builds the lab's network and accounts. Run once by the lab's first process, in its namespaces, with a /run of its own
# where /run/lab has the files. Nothing that is written or mounted here is seen by the machine, or outlives the process.
#
#   sh -e build.sh MANAGEMENT_ADDRESS ROUTER...
management=$1
shift

for file in passwd group shadow; do
    mount --bind "/run/lab/$file" "/etc/$file"
done
# vtysh asks it, and would have it look into the shadow file.
mount --bind /run/lab/pam-frr /etc/pam.d/frr
# The distribution lets a group of the machine run it, which is none of the lab's. A user who is not in that group can't
# copy it either: in a lab of such a user nobody is told the neighbours.
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
