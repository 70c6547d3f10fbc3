"""What a job of the worker's own user does to worker and siblings by what belongs to that user: `--isolation kernel`.

The attempts are those of `tests.programs.isolation`, which has the whole table.
"""

from typing import Final

from tests.programs.isolation.trial import TrialError, attempted, impossible
from tests.programs.redteam.attack import attack, cannot, check
from tests.programs.redteam.attacks.memory import let_users_in
from tests.programs.redteam.scene import Scene, events_of

_FILES: Final = (
    *("read_state", "read_state_by_link", "read_state_by_root", "read_state_by_path_descriptor"),
    *("write_state", "create_state", "delete_state", "rename_state", "rename_all_of_state"),
    *("take_from_state", "link_state", "truncate_state", "read_token", "write_token"),
    *("read_sibling", "write_sibling", "create_sibling", "delete_sibling", "truncate_sibling"),
    *("write_blocks", "create_blocks", "delete_blocks", "truncate_blocks", "write_packages", "write_cgroup"),
)
_PROCESSES: Final = (
    *("worker_limits", "sibling_limits", "worker_priority", "sibling_priority", "everybody_s_priority"),
    *("worker_affinity", "sibling_affinity", "sibling_scheduler", "sibling_scheduler_by_attributes"),
    *("worker_io_priority", "worker_signal", "sibling_signal", "sibling_thread_signal", "signal_by_owner"),
    *("worker_abstract_socket", "sibling_abstract_socket"),
)
_MEMORY: Final = (
    *("sibling_mem", "sibling_descriptor", "sibling_file_by_root", "sibling_vm_readv", "sibling_ptrace"),
    "worker_mem",
)
_USERS: Final = "3100000100-3100000109"
_KEYS: Final = ("session_keyring", "user_keyring")


async def _all_refused(scene: Scene, names: tuple[str, ...], **settings: object) -> str:
    """Make the attempts under a worker. Raises `BrokenError` unless the kernel has refused each."""
    try:
        seen = await attempted(scene, only=names, **settings)  # type: ignore[arg-type]  # its own are among them
    except TrialError as error:
        check(False, str(error))
        raise
    check({*seen} == {*names}, f"not tried: { ({*names} - {*seen}) }")
    came_off = {name: each.why for name, each in seen.items() if each.seen != "closed"}
    check(not came_off, f"not refused: {came_off}")
    return f"{len(names)} attempts were refused"


@attack("R5", "a job reads another's memory on a kernel before 6.12 (Landlock ABI 1), without yama")
async def memory(scene: Scene) -> str:
    if "sibling_mem" in impossible():
        cannot("yama forbids it here in any case")
    return await _all_refused(scene, _MEMORY, abi=1)


@attack(
    "R9", "a job of another user reads the worker's session keyring", needs=("mounts of root", "other users")
)
async def keyring(scene: Scene) -> str:
    let_users_in(scene)
    return await _all_refused(scene, _KEYS, job_users=_USERS)


@attack("outside", "a job of the worker's own user acts on the worker, its siblings and the next job")
async def outside(scene: Scene) -> str:
    return await _all_refused(scene, _FILES + _PROCESSES)


@attack(
    "R10-evasion",
    "a job makes 150 processes in each of four ways that are no descendants of it, under a limit of 30",
)
async def evasion(scene: Scene) -> str:
    async with scene.worker(cgroups="off", max_job_processes=30) as worker:
        job = await scene.submit("neops_redteam/evading:1.0.0", {}, maxAttempts=1)
        result = await scene.result_of(job)
        check(result["success"], f"the job failed: {result['message'][:300]}")
        data = result["data"]
        check(not any(data["got"].values()), f"it got processes: {data['got']}")
        check(data["refusals"] == ["ENOSYS", "EPERM"], f"the refusals: {data['refusals']}")
        check(data["ordinary"] == 5, f"of 5 ordinary processes and threads {data['ordinary']} came off")
        told = [e["message"] for e in events_of(worker) if e["event"] == "job_warning" and e["job"] == job]
        check(not told, f"it is told of: {told}")
    return "600 tries were refused (EPERM, and ENOSYS for clone3); its threads, forks and programs ran"
