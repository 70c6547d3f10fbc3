"""Runs a filter of system calls as the kernel does."""

import struct

_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06


def answer(program: bytes, architecture: int, number: int, arguments: tuple[int, ...] = ()) -> int:
    """What `program` answers for a call. Arguments are as in a register: of 64 bits."""
    steps = list(struct.iter_unpack("=HBBI", program))
    # struct seccomp_data: number, architecture, address, and six arguments.
    padded = (*arguments, *(0,) * (6 - len(arguments)))
    data = struct.pack("=IIQ6Q", number, architecture, 0, *(one & (2**64 - 1) for one in padded))
    loaded, at = 0, 0
    while True:
        code, true, false, value = steps[at]
        at += 1
        if code == _LOAD:
            (loaded,) = struct.unpack_from("=I", data, value)
        elif code == _EQUAL:
            at += true if loaded == value else false
        elif code == _AT_LEAST:
            at += true if loaded >= value else false
        elif code == _ANY_BIT:
            at += true if loaded & value else false
        else:
            assert code == _RETURN
            return int(value)
