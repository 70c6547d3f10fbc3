"""Which reported keys are kept: decided in memory."""

import pytest
from host_keys_support import R1, R1_HIGH, R2, some_key

from supervisor.job.host_keys.known_hosts_file import line_text, parse
from supervisor.job.host_keys.table import Decision, Known, Table

NEW = "accept-new"


def test_the_first_key_of_an_endpoint_is_kept_and_no_other_one_takes_its_place() -> None:
    table, first, second = Table(), some_key(), some_key()
    assert table.decide(R1, first, {R1}, NEW) is Decision.KEPT
    assert table.decide(R1, second, {R1}, NEW) is Decision.ANOTHER_IS_KNOWN
    assert table.decide(R1, some_key("ssh-rsa"), {R1}, NEW) is Decision.ANOTHER_IS_KNOWN
    assert table.decide(R1, first, {R1}, NEW) is Decision.KNOWN
    assert table.keys_of(R1) == (first,)


def test_a_key_is_kept_for_endpoints_of_the_job_alone() -> None:
    table = Table()
    assert table.decide(R2, some_key(), {R1}, NEW) is Decision.FOREIGN
    assert table.decide(R1_HIGH, some_key(), {R1}, NEW) is Decision.FOREIGN
    assert table.decide(R1, some_key(), set(), NEW) is Decision.FOREIGN
    assert table.keys_of(R2) == table.keys_of(R1_HIGH) == table.keys_of(R1) == ()


@pytest.mark.parametrize("policy", ["strict", "off"])
def test_under_another_policy_nothing_is_kept(policy: str) -> None:
    table = Table()
    assert table.decide(R1, some_key(), {R1}, policy) is Decision.NOT_ASKED_FOR
    assert table.keys_of(R1) == ()


def test_what_is_no_key_is_not_kept() -> None:
    table = Table()
    assert table.decide(R1, None, {R1}, NEW) is Decision.NO_KEY
    assert table.keys_of(R1) == ()


def test_the_operators_keys_count_before_the_kept_ones_and_are_never_replaced() -> None:
    table, kept, given = Table(), some_key(), some_key()
    table.decide(R1, kept, {R1}, NEW)
    table.given = Known(parse(line_text(R1, given, "")))
    assert table.keys_of(R1) == (given,)
    assert table.decide(R1, kept, {R1}, NEW) is Decision.ANOTHER_IS_KNOWN


def test_a_file_that_has_changed_counts_and_what_was_not_written_yet_stays() -> None:
    table, a, b = Table(), some_key(), some_key()
    table.decide(R1, a, {R1}, NEW)
    table.decide(R2, b, {R2}, NEW)
    table.take_kept(Known(parse("")), [(R2, b)])
    assert table.keys_of(R1) == ()
    assert table.keys_of(R2) == (b,)
    other = some_key()
    table.take_kept(Known(parse(line_text(R2, other, ""))), [(R2, b)])
    assert table.keys_of(R2) == (other,)


def test_the_keys_of_many_endpoints_are_those_of_each() -> None:
    table, kept, given = Table(), some_key(), some_key()
    assert table.keys_among([R1, R2]) == []
    table.decide(R1, kept, {R1}, NEW)
    assert table.keys_among([R1, R2]) == [(R1, kept)]
    table.given = Known(parse(line_text(R2, given, "")))
    assert table.keys_among([R2, R1_HIGH, R1]) == [(R2, given), (R1, kept)]
