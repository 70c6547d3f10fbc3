"""How each feature is taken away: a place in the code, and what stands there without the feature."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TakenAway:
    """`without` stands in the place of `old`, which is once in `file`. `test` is the one that must fail."""

    number: int
    file: str
    old: str
    without: str
    test: int = 0
    """Which of the tests that the row names."""


JOB = "supervisor/lifecycle/job.py"
EXECUTION = "supervisor/job/execution.py"

TAKEN_AWAY = (
    TakenAway(1, JOB, "(SendCancel(reason), timer)", "(timer,)"),
    TakenAway(2, JOB, "event.at + state.limits.max_seconds)", "event.at + 36000)"),
    TakenAway(
        4,
        JOB,
        "if most is None or state.phase is not Phase.RUNNING or not (event.at_limit",
        "if True or (event.at_limit",
    ),
    TakenAway(5, JOB, "state.phase is not Phase.RUNNING or event.used_seconds <= most", "True"),
    TakenAway(
        6,
        "supervisor/process/cgroups/detection.py",
        "    if unified is not None:\n",
        "    own = []\n    if False:\n",
        1,
    ),
    TakenAway(
        7, "supervisor/job/clearing.py", "swept = await sweeper.clear(processes)", "swept = Swept(0, 0)"
    ),
    TakenAway(
        8,
        "supervisor/launcher/process_groups.py",
        "((self._pid, self._pidfd), *self._led.items())",
        "((self._pid, self._pidfd),)",
    ),
    TakenAway(
        9,
        JOB,
        "case Timer.GRACE if state.phase is Phase.CANCELLING:\n            return _take_stack(",
        "case Timer.GRACE if state.phase is Phase.CANCELLING:\n            return _kill(",
    ),
    TakenAway(
        10,
        "supervisor/keeper.py",
        "kill_all_children(BOUND_SECONDS, stuck=supervisor if is_stuck else None)\n    remove_cgroups()\n",
        "0\n",
    ),
    TakenAway(
        11,
        "supervisor/worker/recovery.py",
        "self._journal.interrupted()}\n        if workers:",
        "()}\n        if workers:",
        1,
    ),
    TakenAway(
        13, EXECUTION, "last_output=await self._log.end_of(stderr.tail() or stdout.tail())", 'last_output=""'
    ),
    TakenAway(
        14, "jobrunner/bootstrap.py", "faulthandler.enable(file=descriptors.dump, all_threads=True)", "pass"
    ),
    TakenAway(
        15,
        JOB,
        "(SetTimer(Timer.STACK, at + STACK_SECONDS), TakeStack())",
        "(SetTimer(Timer.STACK, at + STACK_SECONDS),)",
    ),
    TakenAway(16, "supervisor/worker/reporting.py", "cpu_seconds=usage.cpu_seconds,", "cpu_seconds=None,"),
    TakenAway(
        17,
        "supervisor/commands/support_bundle/contents.py",
        "    if job_id is not None:\n",
        "    if False:\n",
    ),
    TakenAway(
        18,
        "supervisor/worker/heartbeat.py",
        "max(due + self._interval, loop.time())",
        "due + 10 * self._interval",
    ),
    TakenAway(19, JOB, "return state, (CheckChannel(),)", "return state, ()"),
    TakenAway(
        21, "supervisor/worker/dispatch.py", "            self._runner.cancel(job_id)\n", "            pass\n"
    ),
    TakenAway(
        22,
        "supervisor/worker/dispatch.py",
        "return left - limits.max_seconds - limits.grace_seconds",
        "return 1e9",
    ),
    TakenAway(
        23,
        "supervisor/worker/result_answers.py",
        '"5xx", Meaning.AGAIN',
        '"5xx", Meaning.REFUSED',
    ),
    TakenAway(
        24,
        "supervisor/worker/recovery.py",
        "            self._delivery.submit(result)\n",
        "            pass\n",
    ),
    TakenAway(
        25,
        "supervisor/engine/api.py",
        "            if error.status == 409:\n                return False\n",
        "",
    ),
    TakenAway(26, "supervisor/worker/outbox.py", "return len(self._failed) >= AT_ONCE", "return False"),
    TakenAway(27, "supervisor/lifecycle/quarantine.py", "if len(record.deaths) < DEATHS:", "if True:"),
    TakenAway(
        28,
        "supervisor/engine/backoff.py",
        "pause = self.rng.uniform(ceiling / 10, ceiling)",
        "pause = ceiling",
    ),
    TakenAway(
        29,
        "supervisor/lifecycle/block_slots.py",
        "return limit is None or running.get(block_id, 0) < limit",
        "return True",
        1,
    ),
    TakenAway(
        30,
        "supervisor/launcher/spare_pool.py",
        "wanted = self._target + len(self._waiting)",
        "wanted = len(self._waiting)",
    ),
    TakenAway(
        33,
        "supervisor/lifecycle/worker.py",
        "case WorkerPhase.DRAINING if state.signals >= 2:",
        "case WorkerPhase.DRAINING if state.signals > 9:",
        1,
    ),
    TakenAway(
        35, "supervisor/worker/poller.py", "            await self._tasks.wait()\n", "            pass\n", 1
    ),
    TakenAway(
        36,
        "supervisor/worker/reload.py",
        "with_slots_set(await self._launcher.reload(new.imports, accept), settings)",
        "before",
        1,
    ),
    TakenAway(40, "supervisor/worker/control/logs.py", "if running is not None:", "if False:"),
    TakenAway(44, "supervisor/worker/poller.py", "not self._may_claim()", "False", 4),
    TakenAway(
        45,
        "supervisor/commands/doctor/command.py",
        "return EXIT_FAILED if any(",
        "return 0 if any(",
    ),
    TakenAway(
        50, "supervisor/launcher/environment.py", "        if name in _ALLOWED\n", "        if True\n", 2
    ),
    TakenAway(
        12,
        "supervisor/verdict/wording.py",
        "name = ending.exit_status.signal_name if ending.exit_status else None",
        "name = None",
    ),
    TakenAway(
        31,
        "supervisor/lifecycle/template_silence.py",
        "SILENCES_UNTIL_REPLACED: Final = 2",
        "SILENCES_UNTIL_REPLACED: Final = 1000",
        1,
    ),
    TakenAway(32, "supervisor/worker/offered_blocks.py", "if not catalogue.starts_threads:", "if True:"),
    TakenAway(
        34,
        "supervisor/worker/poller.py",
        "        self._stopping.set()\n",
        "        self._stopping.set()\n        self._registration.leaving = True\n",
    ),
    TakenAway(
        37,
        "supervisor/lifecycle/worker.py",
        "return replace(state, phase=WorkerPhase.DRAINING), (WorkerCommand.STOP_POLLING,)",
        "return replace(state, phase=WorkerPhase.KILLING), (WorkerCommand.STOP_POLLING, WorkerCommand.KILL_JOBS)",
    ),
    TakenAway(38, "supervisor/worker/status.py", 'self._send("READY=1", text=status_text(facts))', "pass"),
    TakenAway(39, "supervisor/log/format.py", '        line |= given.get("facts", {})\n', ""),
    TakenAway(
        41,
        "supervisor/process/output.py",
        "        self._closed = True\n        self._emit(ended=False)\n",
        "        self._closed = True\n",
    ),
    TakenAway(
        42, "supervisor/worker/health/recorder.py", "        self._claims.inc(jobs)\n", "        pass\n"
    ),
    TakenAway(43, "supervisor/worker/health/snapshot.py", "if blocked > BLOCKED_SECONDS:", "if False:"),
    TakenAway(46, "supervisor/lifecycle/job.py", "event.at + state.limits.max_seconds)", "event.at + 36000)"),
    TakenAway(
        47,
        "supervisor/commands/local/file_watcher.py",
        "LOOK_SECONDS: Final = 0.25",
        "LOOK_SECONDS: Final = 36000.0",
    ),
    TakenAway(
        48,
        "supervisor/settings/run_settings.py",
        "LegacyEnvironment(settings_cls), EnvFileSource(settings_cls))",
        "LegacyEnvironment(settings_cls))",
    ),
    TakenAway(
        51,
        "jobrunner/isolation/child.py",
        "        _restrict(ruleset)\n\n    def hint",
        "        pass\n\n    def hint",
    ),
    TakenAway(
        49,
        "jobrunner/protocol/masking/mask.py",
        "return Masked(_replaced(text, ranges) if ranges else text)",
        "return Masked(text)",
    ),
    TakenAway(
        52,
        "supervisor/commands/new_block/block.py.template",
        'lines=["lab1 uptime is 3 weeks"]',
        'lines=["another line"]',
    ),
    TakenAway(53, "README.md", 'text=f"Hello {params.name}"', 'text=f"Hi {params.name}"'),
)
"""One for each feature that is a *yes*, in the order in which they were added."""
