"""From places as people name them to the rules that children get. Pure: links are given."""

from collections.abc import Mapping

from jobrunner.protocol.isolation import FileRules
from supervisor.launcher.file_rules import Places, file_rules, without_new_files
from supervisor.process.links import links_and_end


def rules(places: Places, links: Mapping[str, str] | None = None) -> FileRules:
    return file_rules(places, lambda path: links_and_end(path, (links or {}).get))


def test_a_link_and_where_it_leads_are_meant_alike() -> None:
    """A job that could put another link in its place would have the next worker use what the job likes."""
    found = rules(Places(closed=("/srv/state",)), {"/srv/state": "../data/w1"})
    assert found.closed == ("/srv/state", "/data/w1")


def test_a_directory_that_is_reached_over_several_links_is_named_by_its_end() -> None:
    links = {"/token": "secrets/token", "/secrets/token": "..data/token", "/secrets/..data": "..2026"}
    found = rules(Places(closed=("/token",)), links)
    assert found.closed == ("/token", "/secrets/token", "/secrets/..data", "/secrets/..2026/token")


def test_links_in_a_circle_lead_nowhere_and_to_an_end() -> None:
    assert links_and_end("/a/x", {"/a": "/b", "/b": "/a"}.get)[:2] == ["/a", "/b"]


def test_a_path_with_dots_is_named_without_them() -> None:
    assert links_and_end("/srv/./x/../y", {}.get) == ["/srv/y"]


def test_blocks_inside_the_state_directory_can_be_read() -> None:
    found = rules(Places(closed=("/state",), needed=("/state/blocks",)))
    assert found == FileRules(closed=("/state",), read_only=("/state/blocks",))


def test_what_is_only_guarded_is_not_opened_by_that_where_it_lies_in_something_closed() -> None:
    found = rules(Places(closed=("/state",), guarded=("/state/.env", "/srv/.env")))
    assert found.read_only == ("/srv/.env",)


def test_a_place_that_is_closed_and_needed_is_closed() -> None:
    found = rules(Places(closed=("/state",), needed=("/state",)))
    assert (found.closed, found.read_only) == (("/state",), ())


def test_a_place_that_is_writable_and_needed_is_writable_and_one_that_is_closed_is_not() -> None:
    found = rules(Places(closed=("/state",), needed=("/srv/app",), writable=("/srv/app", "/state")))
    assert (found.closed, found.read_only, found.writable) == (("/state",), (), ("/srv/app",))


def test_the_whole_file_system_is_never_meant() -> None:
    """Python's directory, or one that modules are looked for in, may be `/`."""
    assert rules(Places(needed=("/", "/usr"))).read_only == ("/usr",)


def test_the_directory_of_jobs_is_named_by_its_end() -> None:
    found = rules(Places(jobs_directory="/srv/state/jobs"), {"/srv/state": "/data/w1"})
    assert found.jobs_directory == "/data/w1/jobs"


def test_nothing_new_can_be_made_on_the_way_to_a_mark_and_below_it_that_goes_without_saying() -> None:
    files = FileRules(closed=("/var/lib/w",), read_only=("/usr", "/usr/lib/python", "/srv/blocks"))
    assert without_new_files(files) == ["/", "/srv", "/var", "/var/lib"]


def test_on_the_way_to_a_mark_inside_what_is_writable_again_nothing_new_can_be_made() -> None:
    files = FileRules(read_only=("/srv", "/srv/data/code"), writable=("/srv/data",))
    assert without_new_files(files) == ["/", "/srv/data"]


def test_what_is_only_writable_takes_new_files_from_nobody() -> None:
    assert without_new_files(FileRules(writable=("/srv/data",))) == []
