"""The template: a spawned, single-threaded process that imports the blocks, runs none, and forks children.

Every rule here was a bug in a prototype (`docs/adr/0002`). Each has a test with its name in `tests/jobrunner/template`.
"""

import faulthandler
import os
import signal
import socket
from typing import NoReturn

from jobrunner.bootstrap import reset_identity
from jobrunner.channel import Channel
from jobrunner.child_coverage import prepare_measuring
from jobrunner.code_pages import give_back
from jobrunner.containment import take_ordinary_priority
from jobrunner.discovery import discover
from jobrunner.discovery.module import Module
from jobrunner.group_filter import prepare_group_filter
from jobrunner.heap import freeze
from jobrunner.isolation.automounts import ask_for_mounts
from jobrunner.isolation.shared_paths import SharedPaths
from jobrunner.isolation.signals import contain_signals
from jobrunner.keyrings import leave_session_keyring
from jobrunner.logs import import_logs
from jobrunner.middle import be_the_middle
from jobrunner.protocol import linux
from jobrunner.protocol.control import (
    ChildRequest,
    SessionRequest,
    Started,
    announce_start,
    receive_fork_request,
)
from jobrunner.protocol.entry import Discovery
from jobrunner.protocol.isolation import Isolation
from jobrunner.protocol.messages import CatalogueReady, Importing
from jobrunner.rehearsal import rehearse_in_template
from jobrunner.session_holder import live_as_child, start_session_holder
from jobrunner.single_fork import can_fork_once
from jobrunner.stdio import unbuffer_output


def serve(
    supervisor_pid: int,
    control_fd: int,
    report_fd: int,
    output_fd: int,
    discovery: Discovery,
    isolation: Isolation,
) -> NoReturn:
    """Be the template until the supervisor closes the control socket or dies."""
    control, report = _settle_in(supervisor_pid, control_fd, report_fd, output_fd, isolation)

    def announce(module: Module) -> None:
        report.send(Importing(module=module.name, file=module.file))

    prepare_measuring()
    with import_logs(report):
        catalogue = discover(discovery, announce)
    shared_paths = SharedPaths(isolation)
    prepare_group_filter()
    freeze()
    report.send(CatalogueReady(forks_once=can_fork_once()), catalogue.to_json())
    report.close()
    # After the imports, because what they have made exists now. And after the catalogue: if a file system holds this
    # up, nobody must blame the module that was imported last.
    shared_paths.open()
    ask_for_mounts(shared_paths.waiting)
    # The supervisor registers the blocks in this time. Frozen before and after, because a rehearsal ends with a garbage
    # collection, as a job does.
    rehearse_in_template()
    freeze()
    has_given_back = False
    while (asked := receive_fork_request(control)) is not None:
        shared_paths.open()
        if isinstance(asked, SessionRequest):
            start_session_holder(supervisor_pid, control, asked, shared_paths)
        else:
            _fork_twice(supervisor_pid, control, asked, shared_paths)
        if not has_given_back:
            # While the first child begins: it takes milliseconds, and a child does not get these pages from here.
            give_back()
            has_given_back = True
    os._exit(0)


def _settle_in(
    supervisor_pid: int, control_fd: int, report_fd: int, output_fd: int, isolation: Isolation
) -> tuple[socket.socket, Channel]:
    """Tie the template to the supervisor's life and away from its terminal, and take over its descriptors."""
    linux.die_with_parent()
    if os.getppid() != supervisor_pid:
        os._exit(1)
    os.setsid()
    take_ordinary_priority()
    # Ctrl-C and `systemctl stop` are for the supervisor: it still needs children during the drain.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    # It leads a session: if a module opens a terminal during its import, this may become its own terminal, and end.
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    linux.set_process_name("neops-template")
    reset_identity()
    os.dup2(output_fd, 1)
    os.dup2(output_fd, 2)
    os.close(output_fd)
    unbuffer_output()
    # Also for modules: if one signals its parent during its import, it must harm only itself.
    linux.forbid_new_privileges()
    if isolation.contain_signals:
        contain_signals(below_it_file_rules=isolation.landlock_abi > 0)
    if isolation.new_session_keyring:
        # If a child may not have its own keyring, it has this one.
        leave_session_keyring()
    faulthandler.enable(file=2)
    faulthandler.register(linux.DUMP_SIGNAL, file=2, all_threads=True, chain=False)
    # BLAS libraries start a thread per core at their import, and a process with threads must not fork.
    os.environ.update(OPENBLAS_NUM_THREADS="1", OMP_NUM_THREADS="1")
    return socket.socket(fileno=control_fd), Channel(report_fd)


def _fork_twice(
    supervisor_pid: int, control: socket.socket, asked: ChildRequest, shared_paths: SharedPaths
) -> None:
    """Fork a middle process that forks the child and ends, so that the supervisor becomes the child's parent.

    The parent learns the true exit status and the usage, and the child survives the template's death. This is used if
    there can be no session holder.
    """
    try:
        middle = os.fork()
    except OSError as error:
        announce_start(control, Started(asked.request, 0, error.errno or 0))
        middle = 0
    else:
        if middle == 0:
            be_the_middle(control, asked.request, lambda: live_as_child(supervisor_pid, asked, shared_paths))
    asked.descriptors.close()
    if middle:
        os.waitpid(middle, 0)
