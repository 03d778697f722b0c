"""Say in which language a thread is, where its messages say it wrong, or not at all.

It decides who is told of the thread, which views show it, and in which language a macro answers.
What the messages say stays stored beside it, so that it counts again once this is taken back.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from core import ingest, languages, marks
from core.access import Act
from core.errors import Mistaken, NotAllowed
from core.store import audit, threads, wake

if TYPE_CHECKING:
    from datetime import datetime

    from core.access import Who
    from core.rules import Rules
    from core.store import Db


async def say(
    db: Db,
    rules: Rules,
    who: Who,
    account: str,
    thread: str,
    said: str | None,
    stands: str | None,
    now: datetime,
    *,
    sure: bool = True,
) -> bool:
    """Say that *thread* is in the language *said*, None: in that of its messages.

    *stands* is what *who* saw that a person had said, None: nobody had.

    Returns:
        Whether that is new.

    Raises:
        NotAllowed: *who* may not answer there.
        Mistaken: *said* is no language, another person has said another one meanwhile, or there is
            no such thread.
    """
    if not who.may(Act.ANSWER, account):
        raise NotAllowed("you may not answer for %(account)s; ask a lead", account=account)
    tag = languages.tag(said) if said else None
    if said and tag is None:
        raise Mistaken("that is no language; write it as de or pt-BR")
    await marks.hold(db, rules, account, thread)
    was = await threads.spoken(db, account, thread)
    if was == tag:
        return False
    if was != stands:
        raise Mistaken("somebody else has set the language meanwhile; look again")
    await threads.speak(db, account, thread, tag, who.name, now)
    await ingest.recompute(db, rules, account, [thread], now, sure=sure)
    detail = {"language": tag or "-", "before": was or "-"}
    await audit.write(db, who, "language", account=account, thread=thread, detail=detail, now=now)
    await wake.changed(db, {account: [thread]})
    return True
