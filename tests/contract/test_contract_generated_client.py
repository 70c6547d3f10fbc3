"""What a worker needs of the generated client it runs, whichever generation, and nothing else of it.

Without TLS and without a proxy it needs none of it, nor aiohttp.
"""

import json
import subprocess
import sys

import pytest

from tests.patience import PATIENCE_SECONDS

pytestmark = pytest.mark.contract

# In a process of its own: here, other tests have imported all of the client.
_PROGRAM = """
import json, sys
import supervisor.worker.daemon, supervisor.worker.serving
early = sorted(name for name in sys.modules if name.split(".")[0] in ("aiohttp", "neops_workflow_engine_client"))
from supervisor.engine import client_transport
loaded = sorted(name for name in sys.modules if name.startswith("neops_workflow_engine_client."))
import neops_workflow_engine_client as client
from neops_workflow_engine_client import models
print(json.dumps({
    "before it is needed": early,
    "loaded": loaded,
    "same classes": client.ApiClient is client_transport.ApiClient
    and client.Configuration is client_transport.Configuration,
    "models": models is client.models and models.DeviceTypeDto is client.DeviceTypeDto,
    "version": client.__version__,
    "routes": client.WorkersApi.__module__,
}))
"""


def test_the_daemon_loads_the_client_late_and_no_route_or_model_of_it_and_whoever_asks_gets_all_of_it() -> (
    None
):
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM],
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    version = told.pop("version")
    assert version, told
    assert told == {
        "before it is needed": [],
        "loaded": [
            f"neops_workflow_engine_client.{module}"
            for module in ("api_client", "api_response", "configuration", "exceptions", "models", "rest")
        ],
        "same classes": True,
        "models": True,
        "routes": "neops_workflow_engine_client.api.workers_api",
    }
