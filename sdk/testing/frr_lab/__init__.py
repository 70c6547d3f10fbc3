"""A lab of real routers: FRR with OSPF and BGP, LLDP and SSH, in namespaces of its own on this machine.

Needs Debian's packages `frr openssh-server lldpd iproute2 iputils-ping`; and root, or a user who may make namespaces.
"""

from sdk.testing.frr_lab.device import FrrDevice
from sdk.testing.frr_lab.lab import FrrLab
from sdk.testing.frr_lab.namespaces import why_not

__all__ = ["FrrDevice", "FrrLab", "why_not"]
