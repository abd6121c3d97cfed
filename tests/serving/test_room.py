"""How much strangers may hold: half of the room for one network, half of the descriptors for all."""

import resource
import subprocess
import sys

import pytest

from newsletter.serving.room import Room, network_of


def test_one_network_holds_half_and_leaves_the_rest_to_others() -> None:
    room = Room(10, 1024)
    assert [room.enter("203.0.113.0/24") for _ in range(6)] == [True] * 5 + [False]
    assert room.enter("198.51.100.0/24")
    room.leave("203.0.113.0/24")
    assert room.enter("203.0.113.0/24")


def test_all_together_hold_no_more_than_there_is_room_for() -> None:
    room = Room(4, 1024)
    assert [room.enter(str(number)) for number in range(5)] == [True] * 4 + [False]


@pytest.mark.parametrize(("descriptors", "most"), [(1024, 512), (4096, 1000), (resource.RLIM_INFINITY, 1000)])
def test_the_database_and_the_relay_have_descriptors_left(descriptors: int, most: int) -> None:
    assert Room(1000, descriptors).most == most


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.7", "203.0.113.0/24"),
        ("::ffff:203.0.113.7", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", ""),
        (None, ""),
        ("a socket", ""),
    ],
)
def test_neighbours_are_one_network(address: str | None, network: str) -> None:
    assert network_of(address) == network


def test_the_process_takes_as_many_descriptors_as_it_may_have() -> None:
    code = (
        "import resource; from newsletter.serving.room import raise_descriptors;"
        "hard = min(4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]);"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (256, hard));"
        "assert raise_descriptors() == hard; assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("forbidden", ["getrlimit", "setrlimit"])
def test_where_that_is_forbidden_it_goes_on_with_what_it_has(forbidden: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As systemd's filter of system calls may."""
    from newsletter.serving.room import raise_descriptors

    def refuse(*_: object) -> None:
        raise PermissionError

    monkeypatch.setattr(resource, "getrlimit", lambda _: (300, 400))
    monkeypatch.setattr(resource, forbidden, refuse)
    assert raise_descriptors() == (300 if forbidden == "setrlimit" else 1024)
