"""Guessing passwords gets slower and slower, for one account and from one address."""

from __future__ import annotations

import contextlib

import pytest

from audittrail.identity.throttle import FREE_BY_ACCOUNT, FREE_BY_ADDRESS, LONGEST_WAIT, Throttle
from audittrail.model.errors import TooMany


class Clock:
    def __init__(self) -> None:
        self.us = 1_795_000_000_000_000

    def __call__(self) -> int:
        return self.us

    def sleep(self, seconds: float) -> None:
        self.us += int(seconds * 1_000_000)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def refused(throttle: Throttle, account: str, address: str) -> int:
    """Seconds to wait; 0: the attempt was let through."""
    try:
        throttle.attempt(account, address)
    except TooMany as error:
        return error.retry_after
    return 0


def test_five_are_free_then_the_wait_doubles_up_to_a_quarter_of_an_hour(clock: Clock):
    throttle = Throttle(clock)
    addresses = (f"10.0.{n // 250}.{n % 250}" for n in range(10_000))
    assert [refused(throttle, "a@x", next(addresses)) for _ in range(FREE_BY_ACCOUNT)] == [0] * FREE_BY_ACCOUNT
    waits = []
    for _ in range(14):
        waits.append(wait := refused(throttle, "a@x", next(addresses)))
        clock.sleep(wait)
        assert refused(throttle, "a@x", next(addresses)) == 0
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900, 900]
    assert waits[-1] == LONGEST_WAIT


def test_asking_while_one_waits_does_not_make_it_longer(clock: Clock):
    throttle = Throttle(clock)
    for _ in range(FREE_BY_ACCOUNT + 1):
        clock.sleep(2)
        refused(throttle, "a@x", "10.0.0.1")
    assert [refused(throttle, "a@x", "10.0.0.1") for _ in range(20)] == [2] * 20
    clock.sleep(2)
    assert refused(throttle, "a@x", "10.0.0.1") == 0


def test_a_hundred_at_once_are_not_all_checked(clock: Clock):
    throttle = Throttle(clock)
    let_through = [refused(throttle, "a@x", "10.0.0.1") for _ in range(100)].count(0)
    assert let_through == FREE_BY_ACCOUNT


def test_one_address_cannot_try_every_account(clock: Clock):
    throttle = Throttle(clock)
    assert [refused(throttle, f"{n}@x", "10.0.0.1") for n in range(100)].count(0) == FREE_BY_ADDRESS
    assert refused(throttle, "new@x", "10.0.0.2") == 0


def test_a_network_of_ipv6_is_one_address(clock: Clock):
    throttle = Throttle(clock)
    assert [refused(throttle, f"{n}@x", f"2001:db8:1:2::{n:x}") for n in range(100)].count(0) == FREE_BY_ADDRESS
    assert refused(throttle, "new@x", "2001:db8:1:3::1") == 0


def test_ipv4_written_as_ipv6_is_that_address(clock: Clock):
    throttle = Throttle(clock)
    for n in range(FREE_BY_ADDRESS):
        throttle.attempt(f"{n}@x", "10.0.0.1")
    assert refused(throttle, "new@x", "::ffff:10.0.0.1") == 1
    assert refused(throttle, "new@x", "::ffff:10.0.0.2") == 0


def test_the_right_password_clears_the_account_and_does_not_charge_the_address(clock: Clock):
    throttle = Throttle(clock)
    for _ in range(10):
        for _ in range(FREE_BY_ACCOUNT):
            throttle.attempt("a@x", "10.0.0.1")
            throttle.succeeded("a@x", "10.0.0.1")
    assert refused(throttle, "a@x", "10.0.0.1") == 0


def test_one_right_password_does_not_clear_what_the_address_did_to_others(clock: Clock):
    throttle = Throttle(clock)
    for n in range(FREE_BY_ADDRESS):
        throttle.attempt(f"{n}@x", "10.0.0.1")
    clock.sleep(1)
    throttle.attempt("mine@x", "10.0.0.1")
    throttle.succeeded("mine@x", "10.0.0.1")
    assert refused(throttle, "victim@x", "10.0.0.1") > 0


def test_an_hour_of_quiet_is_forgotten(clock: Clock):
    throttle = Throttle(clock)
    for _ in range(15):
        clock.sleep(900)
        refused(throttle, "a@x", "10.0.0.1")
    assert refused(throttle, "a@x", "10.0.0.1") == LONGEST_WAIT
    clock.sleep(3600)
    assert [refused(throttle, "a@x", "10.0.0.1") for _ in range(FREE_BY_ACCOUNT)] == [0] * FREE_BY_ACCOUNT


def test_memory_is_bounded_whatever_names_are_sent(clock: Clock):
    throttle = Throttle(clock, entries=50)
    for n in range(1000):
        with contextlib.suppress(TooMany):
            throttle.attempt(f"{n}@x" * 10_000, f"10.1.{n // 250}.{n % 250}")
    kept = [*throttle._accounts._by_name, *throttle._addresses._by_name]
    assert len(kept) == 100
    assert max(len(name) for name in kept) <= 254


def test_a_clock_that_is_set_back_does_not_let_anyone_guess(clock: Clock):
    throttle = Throttle(clock)
    for _ in range(FREE_BY_ACCOUNT):
        throttle.attempt("a@x", "10.0.0.1")
    clock.sleep(-100)
    assert refused(throttle, "a@x", "10.0.0.1") > 0
