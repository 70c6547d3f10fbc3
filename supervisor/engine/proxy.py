"""The proxy between this worker and its engine, as the environment names it."""

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
    # Host and port, since NO_PROXY may name either; never a user's name and password.
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
