"""So many requests a second, a burst of them at once, and no more memory than was meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from audittrail.identity.address import is_near, network
from audittrail.identity.allowance import Allowance


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def test_a_burst_is_free_and_then_one_for_each_that_the_rate_gives_back():
    clock = Clock()
    allowance = Allowance(10, 20, clock=clock)
    assert [allowance.take("a") for _ in range(21)] == [0] * 20 + [1]
    clock.now += 0.1
    assert [allowance.take("a") for _ in range(2)] == [0, 1]
    assert allowance.take("b") == 0, "another name has its own"
    clock.now += 100
    assert [allowance.take("a") for _ in range(21)] == [0] * 20 + [1], "a rest gives no more than the burst"
    assert allowance.refused == 3


def test_the_wait_is_whole_seconds_and_long_enough():
    clock = Clock()
    allowance = Allowance(1 / 60, 1, clock=clock)
    assert (allowance.take("a"), allowance.take("a")) == (0, 60)
    clock.now += 59.5
    assert allowance.take("a") == 1
    clock.now += 1
    assert allowance.take("a") == 0


@given(st.lists(st.floats(0, 3), max_size=200), st.sampled_from([0.1, 1.0, 10.0]), st.integers(1, 20))
def test_no_pattern_gets_more_than_burst_and_rate(pauses: list[float], rate: float, burst: int):
    clock = Clock()
    allowance = Allowance(rate, burst, clock=clock)
    began, let_through = clock.now, 0
    for pause in pauses:
        clock.now += pause
        wait = allowance.take("a")
        let_through += not wait
        assert let_through <= burst + (clock.now - began) * rate + 1e-6
        assert wait <= 1 / rate + 1


def test_the_name_that_was_quiet_longest_is_forgotten_first():
    allowance = Allowance(1, 1, clock=Clock(), entries=3)
    for name in ("a", "b", "c"):
        assert allowance.take(name) == 0
    assert allowance.take("d") == 0, "a is forgotten for it"
    assert [allowance.take(name) for name in ("b", "c", "d")] == [1, 1, 1]
    assert allowance.take("a") == 0


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8:0:0:ffff::9", "2001:db8::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("fe80::1%eth0", "fe80::/64"),
        ("x" * 500, "x" * 64),
        ("", ""),
    ],
)
def test_what_an_address_is_counted_as(address: str, name: str):
    assert network(address) == name


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "10.1.2.3", "172.18.0.4", "fd00::1", "::ffff:192.168.1.1"])
def test_near(address: str):
    assert is_near(address)


@pytest.mark.parametrize("address", ["8.8.8.8", "2a00::1", "::ffff:8.8.8.8", "localhost", "", "172.32.0.1"])
def test_not_near(address: str):
    assert not is_near(address)
