"""Who sees some accounts alone gets nothing of others, by whatever name or number they guess."""

from __future__ import annotations

import pytest

from core.access import Role
from core.store import audit, enclosures, people, tokens, transaction
from core.store import macros as stored
from core.store.macros import Macro
from tests.web import board
from tests.web import test_answer_page as answers
from tests.web.test_answer_page import PAGE, PART, opened, sent

stage, anna, bo = answers.stage, answers.anna, answers.bo
REPLY = "/reply/mk/T%2F1"
MACRO = "/macros/form?name="
HERE, EVERYWHERE = frozenset({"mk"}), frozenset({"mk", "other"})


async def put(stage, *macros):
    async with transaction(stage.pool) as db:
        for one in macros:
            await stored.put(db, one, "lea", board.NOW)


def macro(name, **where):
    return Macro(name, f"Title of {name}", {"en": f"Words of {name}"}, **where)


async def reads(stage):
    async with transaction(stage.pool) as db:
        found = await audit.lines(db, audit.Asked(act="read"), None, "", 9)
    return [(line.who, line.thread, dict(line.detail)) for line in found]


# macros


async def test_a_lead_reads_no_macro_of_accounts_that_they_do_not_see(stage, site):
    await put(
        stage, macro("theirs", accounts=("other",)), macro("both", accounts=("mk", "other")),
        macro("ours", accounts=("mk",)), macro("all"),
    )  # fmt: skip
    async with board.signed_in(stage, site, Role.LEAD, HERE, name="lena") as lena:
        listed = (await lena.get("/macros")).text
        seen = {name: await lena.get(MACRO + name) for name in ("theirs", "both", "ours", "all")}

    assert {name: one.status for name, one in seen.items()} == {
        "theirs": 404, "both": 200, "ours": 200, "all": 200,
    }  # fmt: skip
    assert "Words of theirs" not in seen["theirs"].text
    assert "Title of theirs" not in listed
    assert all(f"Title of {name}" in listed for name in ("both", "ours", "all"))
    assert "other" not in seen["both"].text


@pytest.mark.parametrize("accounts", [frozenset({"gone"}), frozenset()])
async def test_a_lead_whose_accounts_have_left_the_settings_sees_none_of_others(
    stage, site, accounts
):
    await put(stage, macro("theirs", accounts=("mk",)), macro("all"))
    async with board.signed_in(stage, site, Role.LEAD, accounts, name="lena") as lena:
        listed = (await lena.get("/macros")).text

        assert "Title of theirs" not in listed
        assert (await lena.get(f"{MACRO}theirs")).status == 404


async def test_whose_name_a_macro_has_elsewhere_is_not_said_and_it_is_not_overwritten(stage, site):
    await put(stage, macro("theirs", accounts=("other",)))
    async with board.signed_in(stage, site, Role.LEAD, HERE, name="lena") as lena:
        csrf = (await lena.get(MACRO)).csrf
        form = {
            "csrf": csrf, "name": "theirs", "title": "x", "language": "en", "body": "Mine.",
            "accounts": "mk",
        }  # fmt: skip
        seen = await lena.ask("POST", "/macros/form", data=form)
        gone = await lena.ask("POST", "/macros/form", data={**form, "remove": "1"})

    assert (seen.status, gone.status) == (422, 422)
    async with transaction(stage.pool) as db:
        found = await stored.of(db, "theirs")
    assert found.texts == {"en": "Words of theirs"}


async def test_a_look_at_a_macro_names_no_account_that_who_looks_does_not_see(stage, site):
    form = {"look": "1", "name": "x", "title": "x", "language": "en", "body": "x"}
    async with board.signed_in(stage, site, Role.LEAD, frozenset({"third"}), name="lena") as lena:
        csrf = (await lena.get(MACRO)).csrf
        mk, no = [
            (await lena.ask("POST", "/macros/form", data={**form, "csrf": csrf, "accounts": one}))
            for one in ("mk", "no")
        ]

    assert mk.status == no.status == 200
    assert mk.text.replace("mk", "no").count("no account is called no") == 1
    assert "no account is called no" in no.text


# people and tokens


async def test_an_admin_of_some_accounts_sees_and_ends_nothing_of_who_sees_more(stage, site):
    async with board.signed_in(stage, site, Role.ADMIN, name="boss") as boss:
        await boss.post("/me/token", {"name": "robot", "role": "admin"}, form="/me")
    await board.person(stage.pool, "cleo", Role.VIEWER, HERE)
    async with transaction(stage.pool) as db:
        (token,) = await tokens.of_person(db, "boss")
    async with board.signed_in(stage, site, Role.ADMIN, HERE, name="amy") as amy:
        listed = (await amy.get("/people")).text
        ended = await amy.post("/people/token/end", {"number": token.id}, form="/people")

    assert ended.status == 422
    async with transaction(stage.pool) as db:
        assert len(await tokens.of_person(db, "boss")) == 1
    assert [name in listed for name in ("boss", "robot", "cleo", "amy")] == [
        False, False, True, True,
    ]  # fmt: skip
    assert 'name="account" value="mk"' in listed
    assert 'value="other"' not in listed


async def test_an_admin_of_some_accounts_ends_the_token_of_who_sees_no_more(stage, site):
    async with board.signed_in(stage, site, Role.AGENT, HERE, name="cleo") as cleo:
        await cleo.post("/me/token", {"name": "robot", "role": "agent"}, form="/me")
    async with transaction(stage.pool) as db:
        (token,) = await tokens.of_person(db, "cleo")
    async with board.signed_in(stage, site, Role.ADMIN, HERE, name="amy") as amy:
        ended = await amy.post("/people/token/end", {"number": token.id}, form="/people")

    assert ended.status == 303


async def test_somebody_stays_who_can_get_in_and_let_everybody_in(stage, site):
    async with board.signed_in(stage, site, Role.ADMIN, name="real") as real:
        for ghost, accounts, password in (
            ("ghost", None, None), ("half", HERE, "x"),
        ):  # fmt: skip
            await board.person(stage.pool, ghost, Role.ADMIN, accounts)
            if password:
                async with transaction(stage.pool) as db:
                    await people.set_password(db, ghost, password)
        alone = await real.post("/people/disable", {"name": "real"}, form="/people")
        less = {"name": "real", "role": "admin", "account": "mk"}
        smaller = await real.post("/people/grant", less, form="/people")
        async with transaction(stage.pool) as db:
            await people.set_password(db, "ghost", "x")
        free = await real.post("/people/disable", {"name": "real"}, form="/people")

    assert (alone.status, smaller.status, free.status) == (422, 422, 303)


# files and macros of replies


async def test_files_kept_of_a_reply_of_another_account_are_not_named(stage, site, anna):
    await sent(anna, await opened(anna), "x", files=[("Rechnung Zenobia.pdf", b"%PDF-1.7 x")])
    await anna.post("/undo/1", form=PAGE)
    async with transaction(stage.pool) as db:
        assert await enclosures.names(db, 1) == {0: "Rechnung Zenobia.pdf"}
    async with board.signed_in(stage, site, Role.AGENT, HERE, name="rita") as rita:
        csrf = (await rita.get(PAGE)).csrf
        data = {"csrf": csrf, "text": "", "kept": "1", "to": "buyer"}
        for headers in (None, PART):
            seen = await rita.ask("POST", REPLY, data=data, headers=headers)
            assert "Zenobia.pdf" not in seen.text
    own = {**data, "csrf": (await anna.get(PAGE)).csrf}
    assert "Zenobia.pdf" in (await anna.ask("POST", REPLY, data=own, headers=PART)).text


async def test_a_file_of_what_was_taken_back_is_its_writers_alone(stage, site, anna, bo):
    await sent(anna, await opened(anna), "x", files=[("a.pdf", b"%PDF-1.7 x")])
    file = "/file/mk/T%2F1?reply=1&number=0"
    async with board.signed_in(stage, site, Role.VIEWER, name="vic") as vic:
        assert (await vic.get(file)).status == 200
        await anna.post("/undo/1", form=PAGE)

        assert [(await one.get(file)).status for one in (anna, bo, vic)] == [200, 404, 404]


async def test_a_macro_that_is_filled_with_a_buyers_words_is_a_look(stage, site, anna):
    words = {"en": "Dear {{buyer_first_name}}, {{order_id}}"}
    await put(stage, Macro("hi", "Hi", words))
    csrf = (await anna.get("/me")).csrf
    data = {"csrf": csrf, "use": "1", "macro": "hi", "text": "", "to": "buyer"}

    seen = await anna.ask("POST", REPLY, data=data, headers=PART)

    assert "Zenobia" in seen.text
    assert ("anna", "T/1", {"macro": 1}) in await reads(stage)


async def test_a_file_that_was_loaded_is_no_look_at_the_messages(stage, site, anna):
    await sent(anna, await opened(anna), "x", files=[("a.pdf", b"%PDF-1.7 x")])
    async with board.signed_in(stage, site, Role.VIEWER, name="vic") as vic:
        await vic.get("/file/mk/T%2F1?reply=1&number=0")
        await vic.get(f"{PAGE}?part=live")
        found = [detail for name, _, detail in await reads(stage) if name == "vic"]
        await vic.get(f"{PAGE}?part=live")
        again = [detail for name, _, detail in await reads(stage) if name == "vic"]

    assert any("messages" in detail for detail in found)
    assert again == found
