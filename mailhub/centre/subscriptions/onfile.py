"""Who is on file, read once: a file of readers is compared with it line by line, without asking the tables again."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, select

from mailhub.centre.people import (
    EmailAddress,
    Function,
    Organisation,
    Person,
    PostalAddress,
    Tenure,
    name_words,
    nearly_same_name,
    same_name,
)
from mailhub.centre.subscriptions.consent import EVERYTHING, Suppression
from mailhub.centre.subscriptions.sheet import Line
from mailhub.centre.subscriptions.subscription import CLOSED, State, Subscription
from mailhub.mail import french


@dataclass(frozen=True)
class OnFile:
    """The people, functions and addresses of the centre, and what they have of one publication."""

    at_address: Mapping[str, list[Person]]  # whom an address names, first first
    by_post: Mapping[tuple[tuple[str, ...], str], list[tuple[Person, PostalAddress]]]  # name and postcode
    by_name: Mapping[tuple[str, ...], list[Person]]
    functions: Mapping[tuple[str, str], Function]  # title and organisation
    holders: Mapping[int, Person]  # of functions
    seats_of: Mapping[int, list[int]]  # the functions each person holds
    of_persons: Mapping[int, Subscription]
    of_functions: Mapping[int, Subscription]
    suppressed: frozenset[str]  # digests of addresses this publication must not be sent to

    def holder_of(self, line: Line) -> Person | Function | None:
        """Who a line is about: a function of an organisation, else a person; None for somebody new."""
        if line.function and line.organisation:
            return self.functions.get((line.function, line.organisation))
        return self.person_of(line)

    def person_of(self, line: Line) -> Person | None:
        """The person at that address and so named, or the only one it can be; without address, by name and post."""
        if not line.address:
            wanted = french.words(french.fold(line.street or line.place))
            return next(
                (
                    person
                    for person, post in self.by_post.get((name_words(line.full_name), line.postcode), ())
                    if wanted in (french.words(french.fold(place)) for place in (post.street, post.place))
                ),
                None,
            )
        found = self.at_address.get(line.address, ())
        named = (each for each in found if same_name(each.name, line.full_name))
        nameless = (each for each in found if not each.name or not line.full_name)
        return next(named, None) or next(nameless, None)

    def who_left(self, line: Line) -> str | None:
        """Why somebody this line may be about is not to be written to; None when nobody is (T21)."""
        if line.address:
            left = any(map(self._left, self.at_address.get(line.address, ())))
            return "somebody at this address left; `mailhub subscribers add` asks them" if left else None
        name = name_words(line.full_name)
        if any(self._left(person) for person, _ in self.by_post.get((name, line.postcode), ())):
            return "somebody of this name and postcode left"
        objected = any(
            row.state is State.SUPPRESSED for each in self.by_name.get(name, ()) for row in self._rows(each)
        )
        return "somebody of this name asked never to be written to" if objected else None

    def nearly(self, line: Line) -> str | None:
        """Who on file this line may be, written otherwise: a person looks at both (R3)."""
        if line.address:
            found = (
                each
                for each in self.at_address.get(line.address, ())
                if nearly_same_name(each.name, line.full_name)
            )
        else:
            found = (each for each, _ in self.by_post.get((name_words(line.full_name), line.postcode), ()))
        person = next((each for each in found if self._rows(each)), None)
        return person.name if person else None

    def _left(self, person: Person) -> bool:
        return any(row.state in CLOSED for row in self._rows(person))

    def _rows(self, person: Person) -> list[Subscription]:
        """What a person has of the publication, also by a function they hold."""
        number = person.id or 0
        found = [self.of_persons.get(number), *map(self.of_functions.get, self.seats_of.get(number, ()))]
        return [row for row in found if row is not None]

    def subscription_of(self, holder: Person | Function | None) -> Subscription | None:
        """What a person or a function has of the publication."""
        if holder is None:
            return None
        rows = self.of_persons if isinstance(holder, Person) else self.of_functions
        return rows.get(holder.id or 0)


def read(session: Session, publication: str) -> OnFile:
    """Look at everybody once: the people of one centre fit in memory many times over."""
    persons = {person.id or 0: person for person in session.exec(select(Person)).all()}
    functions = {seat.id or 0: seat for seat in session.exec(select(Function)).all()}
    organisations = {body.id or 0: body.name for body in session.exec(select(Organisation)).all()}
    at_address: dict[str, list[Person]] = defaultdict(list)
    in_order = (col(EmailAddress.left_at).is_not(None), col(EmailAddress.place))
    for address in session.exec(select(EmailAddress).order_by(*in_order)).all():
        at_address[address.address].append(persons[address.person_id])
    by_post: dict[tuple[tuple[str, ...], str], list[tuple[Person, PostalAddress]]] = defaultdict(list)
    for post in session.exec(select(PostalAddress).where(col(PostalAddress.person_id).is_not(None))).all():
        person = persons[post.person_id or 0]
        by_post[name_words(person.name or ""), post.postcode].append((person, post))
    by_name: dict[tuple[str, ...], list[Person]] = defaultdict(list)
    for person in persons.values():
        if person.name:
            by_name[name_words(person.name)].append(person)
    rows = session.exec(select(Subscription).where(Subscription.publication == publication)).all()
    tenures = session.exec(select(Tenure).where(col(Tenure.until).is_(None))).all()
    seats_of: dict[int, list[int]] = defaultdict(list)
    for tenure in tenures:
        seats_of[tenure.person_id].append(tenure.function_id)
    suppressed = select(Suppression.digest).where(
        col(Suppression.lifted_at).is_(None), col(Suppression.scope).in_([EVERYTHING, publication])
    )
    return OnFile(
        at_address=at_address,
        by_post=by_post,
        by_name=by_name,
        functions={(seat.title, organisations[seat.organisation_id]): seat for seat in functions.values()},
        seats_of=seats_of,
        holders={tenure.function_id: persons[tenure.person_id] for tenure in tenures},
        of_persons={row.person_id: row for row in rows if row.person_id is not None},
        of_functions={row.function_id: row for row in rows if row.function_id is not None},
        suppressed=frozenset(session.exec(suppressed).all()),
    )
