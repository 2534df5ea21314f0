"""Passwords: which are taken, how they are kept, and that checking them cannot be made into an attack."""

from __future__ import annotations

import asyncio
import time

import pytest

from audittrail.identity.passwords import Passwords, check_strength
from audittrail.model.errors import Unavailable


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "elevenchars",
        "x" * 257,
        "someone@example.org",
        "Someone@Example.org",
        "passwordpassword",
        "PasswordPassword",
        "Password 1234",
        "aaaaaaaaaaaaaaaa",
        "abcabcabcabcabc",
        "            ",
    ],
)
def test_what_is_guessed_first_or_too_short_is_refused(password: str):
    assert check_strength(password, "someone@example.org") != ""


@pytest.mark.parametrize(
    "password",
    [
        "twelve chars",
        "correct horse battery staple 9",
        "ünïcödé phrase",
        "x7" * 6 + "q",
        "only lower case letters here",
        "夏目漱石は猫である吾輩は",
    ],
)
def test_no_kind_of_character_is_asked_for(password: str):
    assert check_strength(password, "someone@example.org") == ""


async def test_a_hash_is_argon2id_with_owasps_parameters_and_differs_each_time():
    passwords = Passwords()
    one, two = await asyncio.gather(passwords.hash("a good pass phrase"), passwords.hash("a good pass phrase"))
    assert one.startswith("$argon2id$v=19$m=19456,t=2,p=1$")
    assert one != two
    assert await passwords.verify(one, "a good pass phrase")
    assert not await passwords.verify(one, "a good pass phrasE")
    assert not passwords.needs_rehash(one)


async def test_a_hash_made_with_weaker_parameters_is_good_and_to_be_made_anew():
    weak = "$argon2id$v=19$m=8192,t=1,p=1$c29tZXNhbHRzb21lc2FsdA$u4p0jlPI2nDrj7GYRdTZ0Kfq1mgJAjvsUrRZiaRrVQE"
    assert Passwords().needs_rehash(weak)


async def test_what_is_no_hash_matches_nothing():
    assert not await Passwords().verify("", "")
    assert not await Passwords().verify("plain text", "plain text")


async def test_the_same_letters_typed_on_two_systems_are_one_password():
    passwords = Passwords()
    assert await passwords.verify(await passwords.hash("cafe\u0301 cafe\u0301 cafe"), "caf\u00e9 caf\u00e9 cafe")


async def test_an_unknown_account_takes_as_long_as_a_known_one():
    passwords = Passwords()
    hashed = await passwords.hash("a good pass phrase")

    async def seconds(of: object) -> float:
        began = time.process_time()
        await of  # type: ignore[misc]
        return time.process_time() - began

    known = min([await seconds(passwords.verify(hashed, "wrong")) for _ in range(7)])
    unknown = min([await seconds(passwords.verify_nobody("wrong")) for _ in range(7)])
    assert 0.5 < known / unknown < 2


async def test_the_line_is_bounded_and_moves_on():
    passwords = Passwords(threads=1, places=3)
    hashed = await passwords.hash("a good pass phrase")
    answers = await asyncio.gather(*(passwords.verify(hashed, "wrong") for _ in range(10)), return_exceptions=True)
    assert answers.count(False) == 3
    refused = [answer for answer in answers if isinstance(answer, Unavailable)]
    assert len(refused) == 7 and all(error.retry_after >= 1 for error in refused)
    assert await passwords.verify(hashed, "a good pass phrase")


async def test_who_stops_waiting_gives_the_place_back():
    passwords = Passwords(threads=1, places=2)
    hashed = await passwords.hash("a good pass phrase")
    for _ in range(5):
        tasks = [asyncio.create_task(passwords.verify(hashed, "wrong")) for _ in range(2)]
        await asyncio.sleep(0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await asyncio.sleep(0.2)  # the one that ran ends
    assert await passwords.verify(hashed, "a good pass phrase")
