"""What the tests of the toolkit share."""

import pytest
from author_project import INI, SharedServer

from sdk.testing.server import ServerProcess


@pytest.fixture
def author_dir(pytester: pytest.Pytester, neops_block_server: ServerProcess) -> pytest.Pytester:
    """An author's directory, where modules of blocks are collected and every warning is an error."""
    pytester.plugins.append(SharedServer(neops_block_server))
    pytester.makeini(INI)
    return pytester
