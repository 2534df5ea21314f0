"""People, sessions, projects and invitations: what must hold also when two do the same thing at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from audittrail.identity.accounts import NewAccount, make_first, make_invited
from audittrail.identity.tokens import hash_token
from audittrail.model.account import ProjectRole, User
from audittrail.model.errors import Conflict, NotFound
from audittrail.model.session import SESSION_IDLE_US, SESSION_LIFE_US
from audittrail.store import invitations, keys, projects, sessions, users
from audittrail.store.connection import Connection
from audittrail.store.database import Database

NOW = 1_795_000_000_000_000


async def add(db: Database, name: str, role: str = "member", *member_of: tuple[int, ProjectRole]) -> User:
    async with db.write() as conn:
        user = await users.add_user(
            conn,
            email=f"{name}@example.org",
            display_name=name,
            password_hash="hash",
            role=role,  # type: ignore[arg-type]
            now_us=NOW,
        )
        for project_id, project_role in member_of:
            await projects.add_member(conn, project_id, user.id, project_role)
    return user


async def at_once(db: Database, *work: Callable[[Connection], Awaitable[object]]) -> list[object]:
    """Each in a transaction of its own, all begun together; what each returned or raised."""

    async def one(step: Callable[[Connection], Awaitable[object]]) -> object:
        async with db.write() as conn:
            return await step(conn)

    return list(await asyncio.gather(*(one(step) for step in work), return_exceptions=True))


def kinds(answers: list[object]) -> list[str]:
    return sorted(type(answer).__name__ for answer in answers)


# People


async def test_an_address_has_one_account_also_when_two_make_it_at_once(db: Database):
    def make(conn: Connection) -> Awaitable[User]:
        return users.add_user(
            conn, email="a@example.org", display_name="a", password_hash="h", role="member", now_us=NOW
        )

    assert kinds(await at_once(db, make, make, make)) == ["Conflict", "Conflict", "User"]
    async with db.read() as conn:
        assert len(await users.list_users(conn)) == 1


async def test_of_many_first_accounts_made_at_once_one_is_made(db: Database):
    def first(n: int) -> Callable[[Connection], Awaitable[object]]:
        new = NewAccount.typed(f"{n}@example.org", "", "a good pass phrase")
        return lambda conn: make_first(conn, new, "hash", f"project {n}", NOW)

    made = await at_once(db, *(first(n) for n in range(5)))
    assert kinds(made) == ["NoneType"] * 4 + ["User"]
    async with db.read() as conn:
        (only,) = await users.list_users(conn)
        assert only.role == "admin"
        # It owns what was there before it, or nobody could ever be let in.
        owned = await projects.list_memberships(conn, only.id)
        assert [m.role for m in owned] == ["owner"] * 3
        assert {"one", "two"} < {m.project.name for m in owned}
        assert len(await projects.list_projects(conn)) == 3


async def test_the_first_account_owns_a_project_that_exists_already(db: Database):
    new = NewAccount.typed("a@example.org", "", "a good pass phrase")
    async with db.write() as conn:
        made = await make_first(conn, new, "hash", "one", NOW)
        assert made is not None
        assert [m.project.name for m in await projects.list_memberships(conn, made.id)] == ["one", "two"]


async def test_the_last_administrator_stays_one(db: Database):
    one, two = await add(db, "one", "admin"), await add(db, "two", "admin")
    await add(db, "three")
    answers = await at_once(
        db,
        lambda conn: users.set_instance_role(conn, one.id, "member"),
        lambda conn: users.set_instance_role(conn, two.id, "member"),
    )
    assert kinds(answers) == ["Conflict", "NoneType"]
    async with db.read() as conn:
        assert [user.role for user in await users.list_users(conn)].count("admin") == 1


async def test_a_role_of_nobody_is_not_found(db: Database):
    await add(db, "one", "admin")
    with pytest.raises(NotFound):
        async with db.write() as conn:
            await users.set_instance_role(conn, 999, "admin")


async def test_a_hash_is_replaced_only_while_it_is_the_one_that_was_checked(db: Database):
    await add(db, "one")
    async with db.write() as conn:
        found = await users.find_credential(conn, "one@example.org")
        assert found is not None
        await users.set_password_hash(conn, found.user.id, "changed by the person", old="hash")
        await users.set_password_hash(conn, found.user.id, "made anew of the old one", old="hash")
        again = await users.find_credential(conn, "one@example.org")
    assert again is not None and again.password_hash == "changed by the person"


# Sessions


async def begin(db: Database, user: User, token: str, now_us: int = NOW, project_id: int | None = None) -> str:
    async with db.write() as conn:
        await sessions.add_session(
            conn, token_hash=hash_token(token), user_id=user.id, project_id=project_id, now_us=now_us
        )
    return hash_token(token)


async def test_a_session_ends_a_week_after_its_last_use_and_a_month_after_its_start(db: Database):
    user = await add(db, "one")
    token = await begin(db, user, "t")
    async with db.write() as conn:
        assert await sessions.find_session(conn, token, NOW + SESSION_IDLE_US - 1) is not None
        assert await sessions.find_session(conn, token, NOW + SESSION_IDLE_US) is None
        for day in range(0, 30, 5):
            await sessions.touch_session(conn, token, NOW + day * 86_400_000_000)
        await sessions.touch_session(conn, token, NOW + SESSION_LIFE_US - 1)
        found = await sessions.find_session(conn, token, NOW + SESSION_LIFE_US - 1)
        assert found is not None and found.user == user
        assert await sessions.find_session(conn, token, NOW + SESSION_LIFE_US) is None


async def test_ending_the_others_keeps_this_one_and_those_of_others(db: Database):
    one, two = await add(db, "one"), await add(db, "two")
    mine, _, theirs = await begin(db, one, "a"), await begin(db, one, "b"), await begin(db, two, "c")
    async with db.write() as conn:
        assert await sessions.count_other_sessions(conn, one.id, mine, NOW) == 1
        assert await sessions.end_other_sessions(conn, one.id, mine) == 1
        assert await sessions.find_session(conn, mine, NOW) is not None
        assert await sessions.find_session(conn, theirs, NOW) is not None
        assert await sessions.count_other_sessions(conn, one.id, mine, NOW) == 0


async def test_what_is_over_is_purged_and_nothing_else(db: Database):
    one, two = await add(db, "one"), await add(db, "two")
    await begin(db, one, "old", NOW - SESSION_IDLE_US)
    await begin(db, two, "old too", NOW - SESSION_IDLE_US)
    fresh = await begin(db, one, "fresh")
    async with db.write() as conn:
        assert await sessions.purge_sessions(conn, NOW, one.id) == 1
        assert await sessions.purge_sessions(conn, NOW) == 1
        assert await sessions.find_session(conn, fresh, NOW) is not None


async def test_a_token_of_no_session_is_nobody(db: Database):
    async with db.write() as conn:
        assert await sessions.find_session(conn, hash_token("nothing"), NOW) is None
        await sessions.end_session(conn, hash_token("nothing"))


# Projects


async def test_a_project_name_is_taken_once(db: Database):
    answers = await at_once(
        db,
        lambda conn: projects.add_project(conn, "three", NOW),
        lambda conn: projects.add_project(conn, "three", NOW),
        lambda conn: projects.rename_project(conn, 1, "three"),
    )
    assert kinds(answers).count("Conflict") == 2
    async with db.read() as conn:
        assert [p.name for p in await projects.list_projects(conn)].count("three") == 1


async def test_a_project_keeps_its_own_name_and_takes_a_free_one(db: Database):
    async with db.write() as conn:
        await projects.rename_project(conn, 1, "one")
        await projects.rename_project(conn, 1, "first")
    async with db.read() as conn:
        assert [p.name for p in await projects.list_projects(conn)] == ["first", "two"]
        renamed = await projects.get_project(conn, 1)
        assert renamed is not None and renamed == await projects.find_project(conn, "first")


@pytest.mark.parametrize("how", ["removed", "demoted"])
async def test_two_owners_who_remove_each_other_at_once_leave_one(db: Database, how: str):
    one, two = await add(db, "one", "member", (1, "owner")), await add(db, "two", "member", (1, "owner"))

    def go(user: User) -> Callable[[Connection], Awaitable[None]]:
        if how == "removed":
            return lambda conn: projects.remove_member(conn, 1, user.id)
        return lambda conn: projects.set_member_role(conn, 1, user.id, "viewer")

    assert kinds(await at_once(db, go(one), go(two))) == ["Conflict", "NoneType"]
    async with db.read() as conn:
        assert [m.role for m in await projects.list_members(conn, 1)].count("owner") == 1


async def test_a_project_without_an_owner_can_lose_a_viewer(db: Database):
    user = await add(db, "one", "member", (1, "viewer"))
    async with db.write() as conn:
        await projects.remove_member(conn, 1, user.id)
        assert await projects.list_members(conn, 1) == ()


async def test_a_member_is_added_once_and_one_of_another_project_is_not_touched(db: Database):
    user = await add(db, "one", "member", (1, "viewer"))
    async with db.write() as conn:
        assert not await projects.add_member(conn, 1, user.id, "owner")
        assert [m.role for m in await projects.list_members(conn, 1)] == ["viewer"]
    with pytest.raises(NotFound):
        async with db.write() as conn:
            await projects.set_member_role(conn, 2, user.id, "owner")
    with pytest.raises(NotFound):
        async with db.write() as conn:
            await projects.remove_member(conn, 2, user.id)


# Invitations


async def invite(db: Database, token: str, **asked: object) -> None:
    inviter = await add(db, f"inviter{token}", "admin")
    wanted = {"email": None, "role": "member", "project_id": 1, "project_role": "reviewer", **asked}
    async with db.write() as conn:
        await invitations.add_invitation(
            conn,
            token_hash=hash_token(token),
            created_by=inviter.id,
            now_us=NOW,
            expires_us=NOW + 100,
            **wanted,  # type: ignore[arg-type]
        )


def accept(token: str, name: str, now_us: int = NOW) -> Callable[[Connection], Awaitable[object]]:
    new = NewAccount.typed(f"{name}@example.org", "", "a good pass phrase")
    return lambda conn: make_invited(conn, token, new, "hash", now_us)


async def test_an_invitation_used_by_many_at_once_makes_one_account(db: Database):
    await invite(db, "t")
    answers = await at_once(db, *(accept("t", f"n{n}") for n in range(5)))
    assert kinds(answers) == ["NoneType"] * 4 + ["tuple"]
    async with db.read() as conn:
        assert len(await users.list_users(conn)) == 2
        (member,) = await projects.list_members(conn, 1)
        assert (member.role, member.user.role) == ("reviewer", "member")
        assert await invitations.find_invitation(conn, hash_token("t"), NOW) is None


async def test_an_invitation_expires(db: Database):
    await invite(db, "t")
    async with db.read() as conn:
        assert await invitations.find_invitation(conn, hash_token("t"), NOW + 99) is not None
        assert await invitations.find_invitation(conn, hash_token("t"), NOW + 100) is None
        assert await invitations.list_invitations(conn, 1, NOW + 100, instance=True) == ()
    assert await at_once(db, accept("t", "late", NOW + 100)) == [None]


async def test_an_address_that_is_taken_leaves_the_invitation_unused(db: Database):
    await invite(db, "t")
    await add(db, "taken")
    assert kinds(await at_once(db, accept("t", "taken"))) == ["Conflict"]
    assert kinds(await at_once(db, accept("t", "free"))) == ["tuple"]


async def test_an_invitation_for_one_address_is_for_no_other(db: Database):
    await invite(db, "t", email="ann@example.org")
    assert kinds(await at_once(db, accept("t", "bob"))) == ["Conflict"]
    assert kinds(await at_once(db, accept("t", "ann"))) == ["tuple"]


async def test_each_sees_and_revokes_the_invitations_of_their_own_project(db: Database):
    await invite(db, "a")
    await invite(db, "b", project_id=2)
    await invite(db, "c", project_id=None, project_role=None)
    async with db.write() as conn:
        (of_one,) = await invitations.list_invitations(conn, 1, NOW, instance=False)
        assert of_one.project is not None and of_one.project.name == "one"
        assert len(await invitations.list_invitations(conn, 1, NOW, instance=True)) == 2
        assert await invitations.list_invitations(conn, None, NOW, instance=False) == ()
    for project_id, instance in ((2, False), (2, True), (None, False)):
        with pytest.raises(NotFound):
            async with db.write() as conn:
                await invitations.revoke_invitation(conn, project_id, of_one.id, NOW, by="ann", instance=instance)
    async with db.write() as conn:
        await invitations.revoke_invitation(conn, 1, of_one.id, NOW, by="ann", instance=False)
    assert await at_once(db, accept("a", "late")) == [None]


# Keys


async def test_a_key_is_revoked_once_and_by_its_own_project(db: Database):
    async with db.write() as conn:
        made = await keys.add_key(
            conn,
            project_id=1,
            public="pk-at-x",
            lookup="l",
            secret_hash="h",
            name="x",
            scopes=("ingest",),
            now_us=NOW,
        )
        assert (await keys.revoke_key(conn, 1, made.id, NOW + 1, by="ann")).revoked_us == NOW + 1
        assert (await keys.revoke_key(conn, 1, made.id, NOW + 2, by="ann")).revoked_us == NOW + 1
        assert await keys.list_keys(conn, 2) == ()
    with pytest.raises(NotFound):
        async with db.write() as conn:
            await keys.revoke_key(conn, 2, made.id, NOW, by="ann")
    with pytest.raises(Conflict):
        async with db.write() as conn:
            await keys.add_key(
                conn,
                project_id=2,
                public="pk-at-x",
                lookup="l",
                secret_hash="h",
                name="y",
                scopes=("read",),
                now_us=NOW,
            )
