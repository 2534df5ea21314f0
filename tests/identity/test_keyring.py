"""Which key a secret is: Argon2 once, the database's word always."""

from __future__ import annotations

import asyncio

import pytest

from audittrail.identity.issue import issue_key
from audittrail.identity.keyring import Keyring
from audittrail.identity.keys import Presented, lookup, new_key
from audittrail.identity.passwords import Passwords
from audittrail.model.account import Key, NewKey
from audittrail.model.errors import Forbidden, NotSignedIn
from audittrail.store import keys
from audittrail.store.database import Database

NOW = 1_795_000_000_000_000
SECRET_KEY = b"a secret key of the server, 32 characters"


class Counting(Passwords):
    """Real Argon2, counted."""

    def __init__(self) -> None:
        super().__init__()
        self.verified = 0

    async def verify(self, hashed: str, password: str) -> bool:
        self.verified += 1
        return await super().verify(hashed, password)


class Ring:
    def __init__(self, db: Database, **options: int) -> None:
        self.db = db
        self.seconds = 0.0
        self.passwords = Counting()
        self.keyring = Keyring(SECRET_KEY, self.passwords, clock=lambda: self.seconds, **options)

    async def issue(self, **asked: object) -> NewKey:
        wanted = {"project_id": 1, "name": "agent", "scopes": ["ingest"], "days": None, "now_us": NOW, **asked}
        return await issue_key(self.db, self.keyring, by="ann", **wanted)  # type: ignore[arg-type]

    async def identify(self, secret: str, public: str | None = None) -> Key | None:
        async with self.db.read() as conn:
            return await self.keyring.identify(conn, Presented(secret, public))

    async def admit(self, secret: str, scope: str | None = "ingest", now_us: int = NOW) -> Key:
        async with self.db.read() as conn:
            return await self.keyring.admit(conn, Presented(secret), (scope,) if scope else (), now_us)  # type: ignore[arg-type]


@pytest.fixture
def ring(db: Database) -> Ring:
    return Ring(db)


async def test_argon2_runs_once_in_five_minutes(ring: Ring):
    made = await ring.issue()
    for _ in range(10):
        assert await ring.identify(made.secret) == made.key
    assert ring.passwords.verified == 1
    ring.seconds += 301
    assert await ring.identify(made.secret) == made.key
    assert ring.passwords.verified == 2


async def test_many_first_uses_at_once_do_one_argon2(ring: Ring):
    made = await ring.issue()
    found = await asyncio.gather(*(ring.identify(made.secret) for _ in range(6)))
    assert found == [made.key] * 6
    assert ring.passwords.verified == 1


async def test_a_first_use_that_is_given_up_does_not_hold_up_the_others(ring: Ring):
    made = await ring.issue()
    first = asyncio.create_task(ring.identify(made.secret))
    await asyncio.sleep(0.01)
    second = asyncio.create_task(ring.identify(made.secret))
    first.cancel()
    assert await asyncio.wait_for(second, 10) == made.key
    assert not ring.keyring._turns


async def test_a_key_revoked_elsewhere_is_refused_at_once(ring: Ring):
    made = await ring.issue()
    await ring.admit(made.secret)
    async with ring.db.write() as conn:  # as the command line does, in a process of its own
        await keys.revoke_key(conn, 1, made.key.id, NOW, by="ann")
    with pytest.raises(NotSignedIn, match="revoked"):
        await ring.admit(made.secret)


async def test_a_key_expires_to_the_microsecond(ring: Ring):
    made = await ring.issue(days=1)
    day = 86_400_000_000
    assert (await ring.admit(made.secret, now_us=NOW + day - 1)).id == made.key.id
    with pytest.raises(NotSignedIn, match="expired"):
        await ring.admit(made.secret, now_us=NOW + day)


async def test_a_scope_that_the_key_lacks_is_forbidden_and_named(ring: Ring):
    made = await ring.issue(scopes=["read", "ingest"])
    assert made.key.scopes == ("ingest", "read")
    await ring.admit(made.secret, "read")
    with pytest.raises(Forbidden, match="check"):
        await ring.admit(made.secret, "check")


async def test_a_wrong_secret_in_a_loop_costs_neither_argon2_nor_the_database(ring: Ring):
    made = await ring.issue()
    wrong = made.secret[:20] + "x" * 26  # starts as a real one does
    for _ in range(10):
        assert await ring.identify(wrong) is None
    assert ring.passwords.verified == 1
    for _ in range(10):
        assert await ring.identify(new_key()[1]) is None
    assert ring.passwords.verified == 1


async def test_a_wrong_secret_is_asked_about_again_after_half_a_minute(ring: Ring):
    _, secret = new_key()
    assert await ring.identify(secret) is None
    async with ring.db.write() as conn:
        await keys.add_key(
            conn,
            project_id=1,
            public="pk-at-later",
            lookup=lookup(SECRET_KEY, secret),
            secret_hash=await ring.passwords.hash(secret),
            name="later",
            scopes=("ingest",),
            now_us=NOW,
        )
    assert await ring.identify(secret) is None
    ring.seconds += 31
    found = await ring.identify(secret)
    assert found is not None and found.name == "later"


async def test_two_keys_that_start_alike_are_told_apart(ring: Ring):
    shared = "sk-at-12345678"
    for tail in ("a" * 32, "b" * 32):
        secret = shared + tail
        minted = await ring.keyring.mint(secret)
        async with ring.db.write() as conn:
            await keys.add_key(
                conn,
                project_id=1,
                public=minted.public,
                lookup=minted.lookup,
                secret_hash=minted.secret_hash,
                name=tail[0],
                scopes=("ingest",),
                now_us=NOW,
            )
    one, two = await ring.identify(shared + "a" * 32), await ring.identify(shared + "b" * 32)
    assert one is not None and one.name == "a"
    assert two is not None and two.name == "b"


async def test_a_public_part_of_another_key_is_refused(ring: Ring):
    one, two = await ring.issue(), await ring.issue()
    assert await ring.identify(one.secret, one.key.public) == one.key
    assert await ring.identify(one.secret, two.key.public) is None


async def test_an_id_that_was_given_to_another_key_does_not_open_it(ring: Ring):
    old = await ring.issue()
    assert await ring.identify(old.secret) == old.key
    async with ring.db.write() as conn:
        await conn.execute(keys.api_keys.delete())
        await conn.execute(
            keys.api_keys.insert().values(
                id=old.key.id,
                project_id=1,
                public="pk-at-another",
                lookup="x",
                name="another",
                secret_hash="x",
                scopes="ingest",
                created_us=NOW,
            )
        )
    assert await ring.identify(old.secret) is None


async def test_memory_is_bounded(db: Database):
    ring = Ring(db, entries=5)
    made = await ring.issue()
    for _ in range(20):
        await ring.identify(new_key()[1])
    assert len(ring.keyring._unknown) == 5
    assert await ring.identify(made.secret) == made.key


async def test_uses_are_collected_and_written_once(ring: Ring):
    made = await ring.issue()
    await ring.admit(made.secret, now_us=NOW + 5)
    await ring.admit(made.secret, now_us=NOW + 3)
    assert ring.keyring.used == {made.key.id: NOW + 5}
    async with ring.db.write() as conn:
        await keys.touch_keys(conn, ring.keyring.take_used())
        await keys.touch_keys(conn, {made.key.id: NOW + 1})
    assert ring.keyring.used == {}
    found = await ring.identify(made.secret)
    assert found is not None and found.last_used_us == NOW + 5


async def test_a_refused_key_was_not_used(ring: Ring):
    made = await ring.issue(scopes=["read"])
    with pytest.raises(Forbidden):
        await ring.admit(made.secret, "ingest")
    assert ring.keyring.used == {}


async def test_the_secret_is_not_stored(ring: Ring):
    made = await ring.issue()
    async with ring.db.read() as conn:
        row = (await conn.execute(keys.api_keys.select())).one()
    assert made.secret not in str(row) and made.secret[6:14] not in str(row)
