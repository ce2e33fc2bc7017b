"""What every handler of people's mail does first: turn a Reading into what a thread keeps of it."""

from dataclasses import replace

from mailhub.centre.requests import RequestKind, Written
from mailhub.mail import hints, threads
from mailhub.mail.draft import Draft
from mailhub.understand import Reading


def written(reading: Reading) -> Written:
    """What a thread keeps of one mail: the newly written words, the files, the ids."""
    said = reading.message
    assert reading.envelope.received_at is not None
    return Written(
        text=reading.quoting.reply,
        subject=said.subject,
        message_id=said.message_id,
        ids=threads.ids_of(said),
        inbound_id=reading.number or None,
        at=reading.envelope.received_at,
        parts=said.attachments,
        thread_topic=said.header("Thread-Topic"),
        thread_index=said.header("Thread-Index"),
    )


def as_left(brought: Written, words: str, draft: Draft) -> Written:
    """An answer as the thread keeps it: the words that left, under the id they left with."""
    return replace(
        brought,
        text=words,
        subject=draft.subject,
        message_id=draft.message_id,
        ids=(*((draft.message_id,) if draft.message_id else ()), *brought.ids),
    )


def suggested_kind(reading: Reading) -> RequestKind | None:
    """The kind of request the words hint at; None when they are too weak to say (S04)."""
    hint = hints.suggest(f"{reading.message.subject or ''}\n{reading.quoting.reply}")
    return RequestKind(hint.kind) if hint.kind else None
