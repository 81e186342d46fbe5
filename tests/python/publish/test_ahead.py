"""The file that a publication goes on from, copied while the warehouse is being built."""

import errno
import os

import pytest
from comparison import assert_published
from test_going_on import Nights

from publish import copying_ahead, current_version


@pytest.fixture
def nights(paths, build, monkeypatch) -> Nights:
    monkeypatch.setattr("publish.draft.LARGEST", 10)
    nights = Nights(paths, build)
    nights.publish()
    return nights


def left(nights: Nights) -> list[str]:
    return [path.name for path in nights.paths.published.glob(".ahead-*")]


def refuse(*_: object) -> None:
    raise AssertionError("copied again")


# A night on five years would wait for two gigabytes to be copied after its build.
def test_a_publication_takes_the_copy_that_was_made_during_the_build(nights, monkeypatch):
    with copying_ahead(nights.paths.published):
        nights.write(20)
    monkeypatch.setattr("publish.ahead.copy_file", refuse)
    nights.publish()
    assert "writing 3 of 41 weeks" in nights.said
    assert_published(nights.paths)
    assert not left(nights)


# The weeks of the version in between would be missing.
def test_a_copy_of_an_earlier_version_is_not_taken(nights):
    with copying_ahead(nights.paths.published):
        nights.write(20)
        published = current_version(nights.paths.published)
        nights.publish()
    nights.write(3)
    nights.publish()
    assert current_version(nights.paths.published) != published
    assert_published(nights.paths)
    assert not left(nights)


# A disk would have to hold a version more than stay.
def test_there_is_room_before_the_next_version_is_made(nights):
    for week in (1, 2):
        nights.write(week)
        nights.publish()
    versions = nights.paths.published / "versions"
    first, *rest = sorted(folder.name for folder in versions.iterdir())
    with copying_ahead(nights.paths.published):
        pass
    assert sorted(folder.name for folder in versions.iterdir()) == rest
    assert current_version(nights.paths.published).name == rest[-1] > first


# A full disk during the build is no reason to publish nothing once there is room again, nor to fill it further.
def test_a_copy_that_failed_is_made_by_the_publication(nights, monkeypatch):
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "copy_file_range", full)
        with copying_ahead(nights.paths.published):
            nights.write(20)
    assert not left(nights)
    nights.publish()
    assert_published(nights.paths)


def test_a_build_that_failed_or_was_killed_leaves_no_copy(nights):
    with pytest.raises(RuntimeError), copying_ahead(nights.paths.published):
        raise RuntimeError
    assert not left(nights)
    (nights.paths.published / ".ahead-killed.part").write_bytes(b"half")
    with copying_ahead(nights.paths.published):
        pass
    assert left(nights) == [".ahead-" + current_version(nights.paths.published).name]


def test_before_the_first_publication_there_is_nothing_to_copy(paths, build):
    with copying_ahead(paths.published):
        build(0, rows=10)
    assert not list(paths.published.glob(".ahead-*"))
