"""A TCP connection that can be cancelled while it is being made, as a plain socket for paramiko."""

import asyncio
import socket


async def connect_tcp(host: str, port: int) -> socket.socket:
    """Connect to the first address of `host` that answers.

    netmiko would do it inside its thread, where a dropped SYN holds it for the whole time-out.

    Raises:
        OSError: no address answers, or the name is not known; the error of the last try.
        asyncio.CancelledError: at once; nothing stays open.
    """
    loop = asyncio.get_running_loop()
    last_error: OSError | None = None
    for family, kind, protocol, _, address in await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM):
        connection = socket.socket(family, kind, protocol)
        try:
            connection.setblocking(False)
            await loop.sock_connect(connection, address)
        except OSError as error:
            connection.close()
            last_error = error
        except BaseException:
            connection.close()
            raise
        else:
            return connection
    raise last_error or OSError("the name has no address")
