"""Weighing a text: every wish it shows is collected, doubts are heard, and one clear wish or a person remains."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date

from mailhub.mail import abroad, doubts, french, phrasebook
from mailhub.mail.reasons import Reason
from mailhub.mail.wish import Kind, Wish


@dataclass(frozen=True, slots=True)
class Statement:
    """What was said, and what it is read against."""

    said: str
    now: date
    publications: Mapping[str, tuple[str, ...]]  # code and folded names of each
    bare: str  # without politeness

    @property
    def parts(self) -> list[str]:
        """The smallest pieces that say one thing."""
        return french.parts(self.said)


def weigh(statement: Statement) -> Wish:
    """Collect every wish the parts show; give the only one, when nothing speaks against it."""
    said = statement.said
    if asking_how := _asks_how(said):
        return asking_how
    if doubts.personal_data(said):
        return Wish(Kind.PERSON, reason=Reason.PERSONAL_DATA)
    found = _found(statement)
    if not found and abroad.speaks_of_leaving(said):
        return _leaving_abroad(statement)
    if not found:
        worry = doubts.instead(said)
        return Wish(
            Kind.PERSON if worry else Kind.NONE,
            reason=worry or Reason.NO_WISH,
            since=_first_day(statement),
        )
    kinds = frozenset(wish.kind for wish in found)
    wish = _only(found, kinds)
    if wish is None:
        return Wish(Kind.PERSON, reason=Reason.SEVERAL_WISHES, among=tuple(sorted(kinds)))
    doubt = None if wish.kind is Kind.PERSON else doubts.about(said, wish.kind)
    return replace(wish, kind=Kind.PERSON, reason=doubt, among=(wish.kind,)) if doubt else wish


def _first_day(statement: Statement) -> date | None:
    """The first day named, as what is said may take effect then."""
    return next((found.day for found in french.dates(statement.said, now=statement.now)), None)


def _asks_how(said: str) -> Wish | None:
    """A question about how to do it: instructions, and staff see it."""
    for clause in french.clauses(said):
        if phrasebook.how(clause) and phrasebook.subject_of_how(clause):
            return Wish(Kind.HELP, clause)
    return None


def _found(statement: Statement) -> list[Wish]:
    """The wishes the text shows, those of the whole text first, then those of its parts."""
    said = statement.said
    channel = _channel(statement)
    if channel and not (phrasebook.order(said) and not doubts.a_list(said)):
        return [channel]
    found = []
    pause = _pause(statement)
    if pause:
        found.append(pause)
    if phrasebook.undo(said.strip(" !.")) or any(phrasebook.undo(part) for part in statement.parts):
        return [*found, Wish(Kind.UNDO, "annuler")]
    leaving = _leaving(statement)
    if leaving and (not pause or _leaves_another(statement)):
        found.append(leaving)
    joining = next(
        (part for part in statement.parts if phrasebook.join(part) and not doubts.denial(part)),
        None,
    )
    if joining:
        found.append(
            Wish(
                Kind.JOIN,
                joining,
                publications=named_in(joining, statement.publications) or _all_named(statement),
            )
        )
    moving = next(
        (match[0] for part in (*statement.parts, said) if (match := phrasebook.change_address(part))),
        None,
    )
    if moving and not phrasebook.moved_topic(said):
        found.append(Wish(Kind.CHANGE_ADDRESS, moving, since=_first_day(statement)))
    return found


def _only(found: list[Wish], kinds: frozenset[Kind]) -> Wish | None:
    """The single wish among those found, or None when there is more than one."""
    if len(kinds) == 1:
        return found[0]
    # "Send the letter to my new address and no longer to this one" is a move, not a leave.
    if (
        kinds <= {Kind.CHANGE_ADDRESS, Kind.LEAVE, Kind.JOIN, Kind.MAYBE_LEAVE}
        and Kind.CHANGE_ADDRESS in kinds
    ):
        moves = next(wish for wish in found if wish.kind is Kind.CHANGE_ADDRESS)
        apart = any(wish.kind is Kind.LEAVE and _leaves_one(wish) for wish in found)
        return moves if not apart and (Kind.JOIN not in kinds or "@" not in moves.why) else None
    return None


def _leaves_one(wish: Wish) -> bool:
    """Say whether a publication itself is left, not an address it went to."""
    return bool(doubts.a_list(wish.why)) and not phrasebook.an_address(wish.why)


def _leaves_another(statement: Statement) -> bool:
    """Say whether one publication is to pause and another to stop for good."""
    pausing = [part for part in statement.parts if phrasebook.pause(part)]
    leaving = [part for part in statement.parts if phrasebook.leave(part) and part not in pausing]
    paused = named_in(" ".join(pausing), statement.publications)
    left = named_in(" ".join(leaving), statement.publications)
    return bool(pausing and left) and set(paused) != set(left)


def _channel(statement: Statement) -> Wish | None:
    """A change between paper and email, or the end of paper alone."""
    said = statement.said
    if phrasebook.neither(said):
        return Wish(Kind.PERSON, reason=Reason.NEITHER_WAY)
    if phrasebook.to_email(said):
        return Wish(Kind.EMAIL, reason=Reason.BY_EMAIL)
    if phrasebook.stop_paper(said):
        return Wish(Kind.LEAVE, reason=Reason.NO_MORE_PAPER, channel="paper")
    if phrasebook.to_paper(statement.bare):
        return Wish(Kind.PAPER, reason=Reason.ON_PAPER)
    return None


def _pause(statement: Statement) -> Wish | None:
    """A stop with an end: "pause jusqu'au 1er septembre", "plus la revue avant octobre", "deux mois"."""
    said = statement.said
    asked = phrasebook.pause(said) or phrasebook.pause(statement.bare)
    if not asked and not (phrasebook.leave(said) and phrasebook.until(said)):
        return None
    days = list(french.dates(said, now=statement.now))
    end = next(
        (
            day
            for day in reversed(days)
            if phrasebook.restart.search(said[max(0, day.start - 14) : day.start + 9])
        ),
        None,
    )
    stretch = french.span(said, now=statement.now)
    named = _all_named(statement)
    if end:
        since = next((day.day for day in days if day.end <= end.start and day.day < end.day), None)
        return Wish(
            Kind.PAUSE,
            said[max(0, end.start - 14) : end.end].strip(),
            publications=named,
            since=since,
            until=end.day,
        )
    if stretch:
        return Wish(Kind.PAUSE, reason=Reason.STATED_TIME, publications=named, until=stretch)
    return Wish(Kind.PERSON, reason=Reason.NO_END, publications=named) if asked else None


def _leaving(statement: Statement) -> Wish | None:
    """A wish to leave, its publications, and whether it is everything; a denial of it is no wish."""
    said = statement.said
    parts = [part for part in statement.parts if phrasebook.leave(part.strip(" .!?"))]
    if not parts:
        reason = phrasebook.maybe_leave(said)
        return Wish(Kind.MAYBE_LEAVE, reason[0], publications=_all_named(statement)) if reason else None
    if all(doubts.denied(part) for part in parts):
        if doubts.stuck(said):
            kind = Kind.LEAVE if doubts.do_it(said) else Kind.PERSON
            return Wish(kind, reason=Reason.USUAL_WAY_FAILED)
        others = len(_all_named(statement)) > 1
        return Wish(Kind.PERSON, reason=Reason.STAYS_WITH_ONE) if others else None
    why = next(part for part in parts if not doubts.denied(part))
    if any(doubts.denied(part) for part in parts):
        return Wish(Kind.PERSON, why, Reason.LEAVES_AND_STAYS)
    asked = " ".join(parts)
    named = named_in(asked, statement.publications) or _all_named(statement)
    kept = [part for part in statement.parts if phrasebook.stay(part) and part not in parts]
    if not named and named_in(" ".join(kept), statement.publications):
        return Wish(Kind.PERSON, why, Reason.LEAVES_AND_STAYS)  # "plus d'invitations, mais la lettre oui"
    if not named and phrasebook.every_one(asked):
        named = tuple(statement.publications)
    if phrasebook.everything(asked) and "papier" in said:
        return Wish(Kind.PERSON, why, Reason.NO_MORE_PAPER)
    if phrasebook.everything(asked) and (not named or len(named) == len(statement.publications)):
        return Wish(Kind.LEAVE_EVERYTHING, why)
    since = next((day.day for part in parts for day in french.dates(part, now=statement.now)), None)
    return Wish(Kind.LEAVE, why, publications=named, since=since)


def _leaving_abroad(statement: Statement) -> Wish:
    """A wish to leave in another language; "Newsletter" is there what anything sent to many is called."""
    wish = abroad.leave(statement.said)
    if wish is None:
        return Wish(Kind.PERSON, reason=Reason.SPEAKS_OF_LEAVING)
    named = named_in(re.sub(r"\bnewsletters?\b", " ", wish), statement.publications)
    return Wish(Kind.LEAVE, wish, publications=named)


def named_in(text: str, publications: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The publications a text names."""
    return tuple(
        code
        for code, names in publications.items()
        if any(re.search(rf"\b{re.escape(name)}\b", text) for name in names)
    )


def _all_named(statement: Statement) -> tuple[str, ...]:
    """The publications named anywhere but in words of staying."""
    moving = " ".join(part for part in statement.parts if not phrasebook.stay(part) or phrasebook.leave(part))
    return named_in(moving, statement.publications)
