"""An author's project for nested pytest runs."""

import pytest

from sdk.testing.server import ServerProcess

INI = (
    "[pytest]\npython_files = *.py\nfilterwarnings = error\nasyncio_default_fixture_loop_scope = function\n"
    # The last two cost a second for each run and change nothing here.
    "addopts = --strict-markers -p no:hypothesispytest -p no:cacheprovider\n"
)


class SharedServer:
    """Has the nested runs use the block server of this one, which is up already."""

    def __init__(self, server: ServerProcess) -> None:
        self.server = server

    @pytest.fixture(scope="session")
    def neops_block_server(self) -> ServerProcess:
        return self.server
