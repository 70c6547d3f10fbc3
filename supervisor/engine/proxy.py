"""The proxy between this worker and its engine, read from the environment."""

import contextlib
import ipaddress
import os
from urllib.parse import urlsplit


def proxy_for(url: str) -> str | None:
    """Return the proxy for `url` from HTTP_PROXY, HTTPS_PROXY and NO_PROXY; `None` if there is none.

    A proxy without a scheme is an HTTP proxy, as in curl.
    """
    if not any(name.lower().endswith("_proxy") for name in os.environ):
        return None
    import urllib.request  # needs a megabyte; only workers with a proxy load it

    parts = urlsplit(url)
    proxies = urllib.request.getproxies()
    # Host and port, because NO_PROXY may name either; never user and password.
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    if _is_in_a_network(parts.hostname or "", proxies.get("no", "")):
        return None
    proxy = proxies.get(parts.scheme)
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


def _is_in_a_network(host: str, listed: str) -> bool:
    """Whether a host that is given as an IP address is in one of the networks or addresses of a list.

    Same as curl. urllib compares texts: for it no host is in `10.0.0.0/8`, and `::1` differs from the `[::1]` of a URL.
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
