"""The proxy between this worker and its engine, as the environment names it."""

import urllib.request
from urllib.parse import urlsplit


def proxy_for(url: str) -> str | None:
    """Return the proxy to use for `url` by HTTP_PROXY, HTTPS_PROXY and NO_PROXY; `None` for none.

    A proxy without a scheme is taken for an HTTP proxy, as curl does.
    """
    parts = urlsplit(url)
    # Host and port, since NO_PROXY may name either; never a user's name and password.
    if urllib.request.proxy_bypass(parts.netloc.rpartition("@")[2]):
        return None
    proxy = urllib.request.getproxies().get(parts.scheme)
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"
