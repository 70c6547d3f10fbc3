"""The token of an embedded engine, as a client of a test sends it, and the routes that want it."""

from pathlib import Path

from sdk.devengine import DevEngine

_PLACEHOLDERS = ("uuid", "job_id", "package", "name", "version")


def bearer(token_file: Path) -> dict[str, str]:
    """The header that the engine wants, with the token that it has written last."""
    return {"Authorization": f"Bearer {token_file.read_text().strip()}"}


def routes_of(engine: DevEngine) -> list[tuple[str, str]]:
    """Every method and path that a running engine serves, with something in the place of each placeholder."""
    assert engine._server is not None
    found = []
    for route in engine._server._runner.app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical
        for name in _PLACEHOLDERS:
            path = path.replace(f"{{{name}}}", "x")
        found.append((route.method, path))
    return found
