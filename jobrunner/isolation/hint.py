"""Which paths the rules of this job leave open: for the hint in the message of a block that was refused something."""

import os
from collections.abc import Sequence

from jobrunner.isolation.opened_paths import list_entries
from jobrunner.isolation.rules import Access, Rule, rules_for
from jobrunner.protocol.isolation import Isolation, is_at_or_below
from sdk.isolation import use_isolation


def hint_at(isolation: Isolation) -> None:
    """Make the SDK give a hint if this isolation may be why a call failed. The working directory is the job's own.

    Nothing is looked up before something fails. A file that has appeared beside a closed path since the rules were made
    then counts as open, although it is not. A block rarely meets that, and it only costs the hint.
    """
    if not isolation.landlock_abi and not isolation.seccomp:
        use_isolation(None)
        return
    own = os.getcwd()

    def is_open(path: str) -> bool:
        if not isolation.landlock_abi or is_at_or_below(path, own):
            return True
        return is_allowed(path, rules_for(isolation.files, list_entries))

    use_isolation(is_open)


def is_allowed(path: str, rules: Sequence[Rule]) -> bool:
    """Whether a rule allows reading and writing this path."""
    return any(rule.access is Access.ALL and is_at_or_below(path, rule.path) for rule in rules)
