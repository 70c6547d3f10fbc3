"""Keys that are keys, made without an SSH library."""

import base64
import os
import struct

from supervisor.job.host_keys.endpoint import Endpoint
from supervisor.job.host_keys.public_key import PublicKey, public_key_of

R1 = Endpoint("10.0.0.1", 22)
R1_HIGH = Endpoint("10.0.0.1", 2222)
R2 = Endpoint("10.0.0.2", 22)


def some_key(key_type: str = "ssh-ed25519") -> PublicKey:
    """A key that no other call returns."""
    name, number = key_type.encode(), os.urandom(32)
    data = struct.pack("!I", len(name)) + name + struct.pack("!I", len(number)) + number
    key = public_key_of(key_type, base64.b64encode(data).decode())
    assert key is not None
    return key
