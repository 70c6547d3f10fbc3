"""What `supervisor stack` prints of an answer."""

from supervisor.commands.stack import text_of

ANSWER = {
    "block": "acme/backup:1.0.0", "job_id": "j", "state": "running", "seconds": 3.2, "pid": 10,
    "stack": 'File "a.py", line 1 in run', "why_not": "", "kernel": "",
}  # fmt: skip


def test_other_processes_have_a_line_each_below_the_stack() -> None:
    others = [
        {"pid": 11, "name": "ssh", "state": "S", "waits_in": "do_poll"},
        {"pid": 12, "name": "ping", "state": "R", "waits_in": ""},
    ]
    assert text_of({**ANSWER, "processes": others}).endswith(
        "in run\n\nOther processes of the job:\n  11  ssh: sleeping (do_poll)\n  12  ping: running"
    )


def test_an_answer_without_others_also_of_an_earlier_version_ends_with_the_stack() -> None:
    for answer in (ANSWER, {**ANSWER, "processes": []}):
        assert text_of(answer).endswith("in run")
