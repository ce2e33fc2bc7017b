"""Readers as a table in a file: whatever a spreadsheet wrote, read into lines; and lines written for a spreadsheet.

UTF-8 with or without a mark, UTF-16, windows-1252; comma, semicolon or tab; French or English headings. Nothing here
knows the database.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mailhub.errors import Refused
from mailhub.mail import address as addresses
from mailhub.mail import french

MOST_LINES = 200_000
# What a spreadsheet would run as a formula when the cell begins so. OWASP, CSV injection.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")

# Folded headings a file may have, by the name of our own column.
_HEADINGS: Mapping[str, tuple[str, ...]] = {
    "email": (
        "email",
        "e-mail",
        "mail",
        "courriel",
        "adresse mail",
        "adresse e-mail",
        "adresse electronique",
        "mel",
    ),
    "name": ("name", "nom", "nom complet", "destinataire", "full name"),
    "first_name": ("prenom", "first name", "firstname"),
    "organisation": ("organisation", "organisme", "structure", "collectivite", "organization"),
    "function": ("function", "fonction", "poste"),
    "channel": ("channel", "canal", "envoi", "support"),
    "consent": ("consent", "consentement", "preuve", "accord", "proof"),
    "delivery": ("delivery", "service", "complement", "complement d'adresse"),
    "building": ("building", "batiment", "residence"),
    "street": ("street", "rue", "voie", "adresse", "adresse postale", "address"),
    "place": ("place", "lieu-dit", "bp", "boite postale"),
    "postcode": ("postcode", "code postal", "cp", "zip"),
    "city": ("city", "ville", "commune", "localite"),
    "country": ("country", "pays"),
    # Of our own export: a line that says them is held to them.
    "publication": ("publication",),
    "state": ("state",),
}
_OWN = frozenset({"number", "changed_at"})  # of our own export too, and nothing to go by


@dataclass(frozen=True, slots=True)
class Line:
    """One reader as a file has them; `number` is the line a person sees in their editor."""

    number: int
    email: str = ""  # as it is written there
    address: str = ""  # the bare address in it; "" when there is none
    name: str = ""
    first_name: str = ""
    organisation: str = ""
    function: str = ""
    channel: str = ""
    consent: str = ""  # how and when they said yes
    delivery: str = ""
    building: str = ""
    street: str = ""
    place: str = ""
    postcode: str = ""
    city: str = ""
    country: str = ""
    publication: str = ""  # of the subscription an export wrote down
    state: str = ""  # where it stood

    @property
    def full_name(self) -> str:
        """First name and name."""
        return " ".join(filter(None, (self.first_name, self.name)))


@dataclass(frozen=True, slots=True)
class Sheet:
    """What a file holds."""

    lines: list[Line]
    unknown: list[str]  # headings nobody here understands


def address_in(cell: str) -> str:
    """The bare address of a cell, however it is written: `Nom <a@b>`, `mailto:a@b`, with spaces or capitals around."""
    found = next((box.address for box in addresses.read_list(cell) if box.address), "") or ""
    return addresses.normalise(found) if addresses.is_reachable(found) else ""


def read(raw: bytes) -> Sheet:
    """The lines of a file, without empty ones, and the columns left alone; refused when no column is known."""
    text = _decoded(raw)
    if "\x00" in text:
        raise Refused("this is no text file; save the sheet as CSV")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(text), strict=True)
    lines: list[Line] = []
    try:
        heading = next(reader, [])
        columns = _columns(heading)
        began = reader.line_num + 1  # the line a row begins on, as an editor counts
        for row in reader:
            if any(cell.strip() for cell in row[len(heading) :]):
                raise Refused(f"line {began} has more cells than the first line has headings")
            if any(cell.strip() for cell in row):
                cells = dict(_cells(columns, row))
                lines.append(Line(began, address=address_in(cells.get("email", "")), **cells))
            began = reader.line_num + 1
            if len(lines) > MOST_LINES:
                raise Refused(f"more than {MOST_LINES} lines; cut the file in two")
    except csv.Error as error:
        raise Refused(f"line {reader.line_num}: {error}") from error
    unknown = [cell.strip() for place, cell in enumerate(heading) if place not in columns]
    return Sheet(lines, [cell for cell in unknown if cell and cell not in _OWN])


def write(rows: Iterable[Mapping[str, object]], columns: Sequence[str]) -> bytes:
    """A file every spreadsheet opens: UTF-8 with a mark, semicolons, and no cell that would run as a formula."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, delimiter=";", lineterminator="\r\n")
    writer.writerow(columns)
    writer.writerows([_harmless(row[column]) for column in columns] for row in rows)
    return codecs.BOM_UTF8 + out.getvalue().encode()


def _decoded(raw: bytes) -> str:
    """UTF-8 when it is; else what Excel writes in France. Refused when a line is not as the others are."""
    for mark, encoding in (
        (codecs.BOM_UTF8, "utf-8-sig"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if raw.startswith(mark):
            return _strictly(raw, encoding)
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        # Two odd signs in a row in windows-1252, which no name has: most of it is UTF-8 all the same.
        return _strictly(raw, "utf-8") if _ACCENT_IN_UTF8.search(raw) else raw.decode("cp1252", "replace")


_ACCENT_IN_UTF8 = re.compile(rb"[\xc2\xc3][\x80-\xbf]")


def _strictly(raw: bytes, encoding: str) -> str:
    try:
        return raw.decode(encoding)
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise Refused(
            f"line {line} is not written in {encoding} as others are; save the sheet again"
        ) from error


def _delimiter(text: str) -> str:
    """The mark that cuts the heading into most columns."""
    heading = text.lstrip("\r\n").partition("\n")[0]
    return max(";,\t", key=heading.count)


def _columns(heading: Sequence[str]) -> dict[int, str]:
    """Which of our columns stands where; unknown ones are left alone."""
    known = {word: name for name, words in _HEADINGS.items() for word in words}
    columns: dict[int, str] = {}
    for place, cell in enumerate(heading):
        name = known.get(french.fold(cell).replace("_", " ").strip()) or known.get(cell.strip())
        if name is not None and name not in columns.values():
            columns[place] = name
    if not {"email", "name"} & set(columns.values()):
        raise Refused(
            "no column of addresses or names; the first line must name the columns, such as "
            + ", ".join(_HEADINGS)
        )
    return columns


def _cells(columns: Mapping[int, str], row: Sequence[str]) -> Iterable[tuple[str, str]]:
    for place, name in columns.items():
        if place < len(row):
            cell = " ".join(row[place].split())
            # Our own export wrote the apostrophe, to keep a spreadsheet from running the cell.
            yield name, cell[1:] if cell.startswith("'") and cell[1:2] in _FORMULA else cell


def _harmless(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_FORMULA) else text
