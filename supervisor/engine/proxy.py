"""The proxy between this worker and its engine, as the environment names it."""

import contextlib
import ipaddress
import os
from urllib.parse import urlsplit


def proxy_for(url: str) -> str | None:
    """Return the proxy to use for `url` by HTTP_PROXY, HTTPS_PROXY and NO_PROXY; `None` for none.

    A proxy without a scheme is taken for an HTTP proxy, as curl does.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    import urllib.request  # a megabyte with what it needs, for who has a proxy

    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    # Host and port, since NO_PROXY may name either; never a user's name and password.
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    if _is_in_a_network(parts.hostname or "", proxies.get("no", "")):
        return None
    proxy = proxies.get(parts.scheme)
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _is_in_a_network(host: str, listed: str) -> bool:
    """Whether a host that is given by its number is in one of the networks of a list, or one of its addresses.

    As curl does. urllib compares texts: `10.0.0.0/8` is none of its hosts, and `::1` is not the `[::1]` of a URL.
    """
    try:
        address = ipaddress.ip_address(host)
    except ValueError:  # a name
        return False
    for each in listed.split(","):
        with contextlib.suppress(ValueError):  # a name, or an address with a port
            if address in ipaddress.ip_network(each.strip().strip("[]"), strict=False):
                return True
    return False
