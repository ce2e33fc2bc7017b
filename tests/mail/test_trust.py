"""How far From is believed: SPF, DKIM and DMARC over a DNS held in a dictionary, and one believed host's word."""

import dataclasses
import re
from collections.abc import Mapping

import dkim as dkimpy
import pytest
from cryptography.hazmat.primitives import serialization
from hypothesis import given, settings
from hypothesis import strategies as st

from mailhub.mail import dkim, dmarc, message, signatures, spf, trust
from mailhub.mail.envelope import Envelope
from mailhub.mail.resolver import NoRecord, TemporaryDns
from mailhub.mail.trust import Strength, Trust

RSA = dkim.SigningKey.load("r", dkim.generate("rsa"))
ED25519 = dkim.SigningKey.load("e", dkim.generate("ed25519"))
RSA_PEM = RSA.private.private_bytes(
    serialization.Encoding.PEM,
    serialization.PrivateFormat.TraditionalOpenSSL,
    serialization.NoEncryption(),
)
SILENT = object()
CLIENT = "192.0.2.10"


class Zone:
    """A resolver over a dictionary; `SILENT` stands for a server that does not answer."""

    def __init__(self, records: Mapping[tuple[str, str], object]) -> None:
        self.records = dict(records)
        self.asked: list[str] = []

    def _ask(self, kind: str, name: str) -> tuple:
        self.asked.append(f"{kind} {name}")
        found = self.records.get((kind, name), ())
        if found is SILENT:
            raise TemporaryDns(name)
        if not found:
            raise NoRecord(name)
        return found

    def txt(self, name: str) -> tuple[bytes, ...]:
        found = self._ask("TXT", name)
        return tuple(text.encode() if isinstance(text, str) else text for text in found)

    def addresses(self, name: str, version: int) -> tuple[str, ...]:
        return self._ask("AAAA" if version == 6 else "A", name)

    def mx(self, name: str) -> tuple[str, ...]:
        return self._ask("MX", name)

    def ptr(self, address: str) -> tuple[str, ...]:
        return self._ask("PTR", address)


def keys(*domains: str) -> dict[tuple[str, str], object]:
    published = [
        dkim.record(key.selector, domain, key.private.public_key())
        for domain in domains
        for key in (RSA, ED25519)
    ]
    return {("TXT", name): (value,) for name, value in published}


def text(name: str, *values: str | bytes) -> dict[tuple[str, str], object]:
    return {("TXT", name): values}


def letter(
    sender: str = "Anne Le Goff <anne@kerbrec.example>", headers: str = "", body: str = "Bonjour.\r\n"
) -> bytes:
    return (
        f"{headers}From: {sender}\r\nTo: question@centre.example\r\nSubject: Une question\r\n"
        f"Date: Thu, 05 Nov 2026 10:00:00 +0100\r\nMessage-ID: <1@kerbrec.example>\r\n\r\n{body}"
    ).encode("utf-8", "surrogateescape")


def signed(raw: bytes, domain: str = "kerbrec.example", *which: dkim.SigningKey) -> bytes:
    return dkim.Signer(domain, which or (RSA,)).headers_for(raw, when=1_700_000_000) + raw


def signed_elsewhere(raw: bytes, *, domain: str = "kerbrec.example", **how: object) -> bytes:
    """A signature as other senders make them: any canonical form, any choice of headers."""
    return dkimpy.sign(raw, b"r", domain.encode(), RSA_PEM, **how) + raw


def envelope(
    sender: str = "anne@kerbrec.example", client: str = CLIENT, helo: str = "mx.kerbrec.example"
) -> Envelope:
    return Envelope(recipient="question@centre.example", sender=sender, client_ip=client, helo=helo)


def evaluate(
    raw: bytes, *records: Mapping[tuple[str, str], object], sender: str = "anne@kerbrec.example"
) -> Trust:
    zone = Zone({key: value for part in records for key, value in part.items()})
    return trust.evaluate(message.read(raw), envelope(sender), zone)


POLICY = text("_dmarc.kerbrec.example", "v=DMARC1; p=reject")
SPF = text("kerbrec.example", "v=spf1 ip4:192.0.2.0/24 -all")
KEYS = keys("kerbrec.example")


# --- the whole verdict --------------------------------------------------------------------------------------


def test_signed_by_its_own_domain_is_strong():
    verdict = evaluate(signed(letter()), POLICY, KEYS, text("kerbrec.example", "v=spf1 -all"))

    assert verdict == Trust(Strength.STRONG, "fail", "pass", "pass", "dkim=pass d=kerbrec.example aligned")


def test_sent_from_a_host_of_its_own_domain_is_strong():
    verdict = evaluate(letter(), POLICY, SPF)

    assert verdict == Trust(Strength.STRONG, "pass", "none", "pass", "spf=pass kerbrec.example aligned")


@pytest.mark.parametrize("key", [RSA, ED25519], ids=["rsa", "ed25519"])
def test_both_kinds_of_keys_prove(key: dkim.SigningKey):
    assert evaluate(signed(letter(), "kerbrec.example", key), POLICY, KEYS).strength is Strength.STRONG


@pytest.mark.parametrize(
    ("record", "result"),
    [
        ("v=spf1 ip4:192.0.2.10 -all", "pass"),
        ("v=spf1 ip4:198.51.100.1 -all", "fail"),
        ("v=spf1 ip4:198.51.100.1 ~all", "softfail"),
        ("v=spf1 ?all", "neutral"),
        ("v=spf1 ip4:300.1.1.1 -all", "permerror"),
        ("not spf", "none"),
    ],
)
def test_every_word_of_spf_is_kept_and_only_pass_proves(record: str, result: str):
    verdict = evaluate(letter(), POLICY, text("kerbrec.example", record))

    assert verdict.spf == result
    assert (verdict.strength is Strength.STRONG) == (result == "pass")


def test_a_stranger_who_signs_for_himself_proves_nothing_about_from():
    verdict = evaluate(
        signed(letter(), "evil.example"),
        *(POLICY, keys("evil.example"), text("evil.example", "v=spf1 +all")),
        sender="x@evil.example",
    )

    assert verdict == Trust(
        Strength.WEAK,
        *("pass", "pass", "fail"),
        "dkim=pass d=evil.example not aligned, spf=pass evil.example not aligned",
    )


def test_a_domain_without_policy_is_weak_however_well_signed():
    verdict = evaluate(signed(letter()), KEYS, SPF)

    assert verdict == Trust(Strength.WEAK, "pass", "pass", "none", "no DMARC record for kerbrec.example")


def test_nothing_signed_nothing_published_is_weak():
    assert evaluate(letter()) == Trust(
        Strength.WEAK, "none", "none", "none", "no DMARC record for kerbrec.example"
    )


@pytest.mark.parametrize(
    ("silent", "verdict"),
    [
        ("_dmarc.kerbrec.example", ("pass", "pass", "temperror")),
        ("r._domainkey.kerbrec.example", ("fail", "temperror", "temperror")),
    ],
)
def test_a_silent_dns_is_weak_and_never_raises(silent: str, verdict: tuple[str, ...]):
    allowed = SPF if "_dmarc" in silent else text("kerbrec.example", "v=spf1 -all")

    found = evaluate(signed(letter()), POLICY, KEYS, allowed, {("TXT", silent): SILENT})

    assert (found.strength, found.spf, found.dkim, found.dmarc) == (Strength.WEAK, *verdict)


def test_a_dns_that_never_answers_is_weak():
    class Silence(Zone):
        def _ask(self, kind: str, name: str) -> tuple:
            raise TemporaryDns(f"{kind} {name}")

    verdict = trust.evaluate(message.read(signed(letter())), envelope(), Silence({}))

    assert verdict == Trust(
        Strength.WEAK, "temperror", "temperror", "temperror", "DNS does not answer for kerbrec.example"
    )


def test_a_costly_spf_cannot_starve_the_rest():
    zone = Zone({**POLICY, **KEYS, **SPF})

    trust.evaluate(message.read(signed(letter())), envelope(), zone)

    assert zone.asked == [
        "TXT _dmarc.kerbrec.example",
        "TXT r._domainkey.kerbrec.example",
        "TXT kerbrec.example",
    ]


def test_one_proof_is_enough_when_the_other_is_silent():
    verdict = evaluate(signed(letter()), POLICY, KEYS, {("TXT", "kerbrec.example"): SILENT})

    assert (verdict.strength, verdict.spf, verdict.dmarc) == (Strength.STRONG, "temperror", "pass")


@pytest.mark.parametrize(
    "headers",
    [
        "From: anne@kerbrec.example\r\nFrom: evil@evil.example",
        "From: anne@kerbrec.example, evil@evil.example",
        "From: Groupe: anne@kerbrec.example;",
        "From: anne@kerbrec.example <evil@evil.example>, x",
        "From: ",
        "Sender: anne@kerbrec.example",
        "From: =?utf-8?q?anne=40kerbrec=2Eexample?=",
        "From: anne@kerbrec.example]<evil@evil.example>",
    ],
)
def test_without_one_clear_author_there_is_no_identity(headers: str):
    raw = f"{headers}\r\nSubject: x\r\n\r\nBonjour.\r\n".encode()
    zone = Zone({**POLICY, **SPF})

    assert trust.author(message.read(raw)) is None
    assert trust.evaluate(message.read(raw), envelope(), zone).why == "no single From address"
    assert zone.asked == []


def test_the_address_counts_and_not_the_name_that_imitates_one():
    raw = letter('"anne@kerbrec.example" <evil@evil.example>')

    assert trust.author(message.read(raw)).address == "evil@evil.example"
    assert evaluate(raw, POLICY, SPF).strength is Strength.WEAK


def test_a_mail_past_the_limits_is_weak_and_asks_nothing():
    zone = Zone({**POLICY, **SPF})

    verdict = trust.evaluate(dataclasses.replace(message.read(letter()), over_limits=True), envelope(), zone)

    assert (verdict.strength, zone.asked) == (Strength.WEAK, [])


def test_a_domain_with_accents_is_compared_in_ascii():
    raw = signed(letter("Anne <anne@Médiathèque.example>"), "médiathèque.example")
    ascii_name = "xn--mdiathque-53af.example"

    verdict = evaluate(raw, keys(ascii_name), text(f"_dmarc.{ascii_name}", "v=DMARC1; p=none"))

    assert verdict.strength is Strength.STRONG


# --- DMARC: alignment and the tree walk -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("author", "signer", "policies", "strong"),
    [
        ("kerbrec.example", "mail.kerbrec.example", {"kerbrec.example": ""}, True),
        ("mairie.kerbrec.example", "kerbrec.example", {"kerbrec.example": ""}, True),
        ("mairie.kerbrec.example", "mail.kerbrec.example", {"kerbrec.example": ""}, True),
        ("kerbrec.example", "mail.kerbrec.example", {"kerbrec.example": "adkim=s"}, False),
        ("kerbrec.example", "kerbrec.example", {"kerbrec.example": "adkim=s"}, True),
        ("kerbrec.example", "mail.kerbrec.example", {"kerbrec.example": "aspf=s"}, True),
        ("mairie.kerbrec.example", "kerbrec.example", {"mairie.kerbrec.example": ""}, False),
        ("a.asso.example", "b.asso.example", {"a.asso.example": "", "b.asso.example": ""}, False),
        ("a.asso.example", "b.asso.example", {"asso.example": "psd=y"}, False),
        ("x.a.asso.example", "a.asso.example", {"asso.example": "psd=y"}, True),
        ("x.kerbrec.example", "y.kerbrec.example", {"kerbrec.example": "psd=n", "example": ""}, True),
        ("kerbrec.example", "evil.example", {"kerbrec.example": "", "evil.example": ""}, False),
        ("kerbrec.example", "kerbrec.example.evil.test", {"kerbrec.example": ""}, False),
        ("kerbrec.example", "notkerbrec.example", {"kerbrec.example": ""}, False),
    ],
)
def test_alignment_follows_the_organisation(author: str, signer: str, policies: dict[str, str], strong: bool):
    records = [text(f"_dmarc.{domain}", f"v=DMARC1; p=none; {tags}") for domain, tags in policies.items()]

    verdict = evaluate(signed(letter(f"anne@{author}"), signer), keys(signer), *records)

    assert verdict.dkim == "pass"
    assert (verdict.strength is Strength.STRONG) == strong


def test_spf_alignment_has_its_own_strictness():
    policy = text("_dmarc.kerbrec.example", "v=DMARC1; p=none; aspf=s")
    allowed = text("retours.kerbrec.example", "v=spf1 ip4:192.0.2.10 -all")

    strict = evaluate(letter(), policy, allowed, sender="x@retours.kerbrec.example")
    relaxed = evaluate(letter(), POLICY, allowed, sender="x@retours.kerbrec.example")

    assert (strict.dmarc, relaxed.dmarc) == ("fail", "pass")


def test_the_walk_asks_eight_questions_at_most():
    zone = Zone({})

    assert dmarc.discover("a.b.c.d.e.f.g.h.i.kerbrec.example", zone) is None
    assert list(dict.fromkeys(zone.asked)) == [
        "TXT _dmarc.a.b.c.d.e.f.g.h.i.kerbrec.example",
        "TXT _dmarc.e.f.g.h.i.kerbrec.example",
        "TXT _dmarc.f.g.h.i.kerbrec.example",
        "TXT _dmarc.g.h.i.kerbrec.example",
        "TXT _dmarc.h.i.kerbrec.example",
        "TXT _dmarc.i.kerbrec.example",
        "TXT _dmarc.kerbrec.example",
        "TXT _dmarc.example",
    ]


@pytest.mark.parametrize(
    ("texts", "found"),
    [
        (("v=DMARC1; p=none",), True),
        (("v=DMARC1",), True),  # RFC 9989: a missing p is none
        (("v = DMARC1 ;p=none;;pct=20; unknown=1",), True),
        (("v=DMARC1; p=nnoe; rua=mailto:x@kerbrec.example",), True),
        (("v=DMARC1; p=nnoe",), False),
        (("v=dmarc1; p=none",), False),
        (("p=none; v=DMARC1",), False),
        (("v=DMARC1; p=none", "v=DMARC1; p=reject"), False),
        (("v=DMARC1; p=none", "autre chose"), True),
        ((b"\xff\xfe",), False),
        (("",), False),
    ],
)
def test_what_counts_as_a_policy(texts: tuple[str, ...], found: bool):
    zone = Zone(text("_dmarc.kerbrec.example", *texts))

    assert (dmarc.discover("kerbrec.example", zone) is not None) == found


# --- DKIM: what verifies and proves nothing -------------------------------------------------------------------


def dkim_of(raw: bytes, *records: Mapping[tuple[str, str], object]) -> list[tuple[str, str, str]]:
    zone = Zone({key: value for part in (KEYS, *records) for key, value in part.items()})
    return [(one.domain, one.result, one.why) for one in signatures.verify(raw, zone)]


@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
def test_signatures_made_elsewhere_verify(form: bytes):
    raw = letter(body="Bonjour  \t à tous\r\n\r\n  \r\nMerci\r\n\r\n")

    assert dkim_of(signed_elsewhere(raw, canonicalize=(form, form))) == [("kerbrec.example", "pass", "")]


def test_a_changed_mail_does_not_verify():
    raw = signed(letter())

    assert dkim_of(raw.replace(b"Bonjour", b"Bonsoir"))[0][1] == "fail"
    assert dkim_of(raw.replace(b"Une question", b"Une autre"))[0][1] == "fail"


@pytest.mark.parametrize("name", ["Subject", "To", "Date", "Content-Type"])
def test_a_second_header_beside_the_signed_one_is_refused(name: str):
    raw = signed_elsewhere(letter(headers="Content-Type: text/plain\r\n"))
    added = f"{name}: ajout\r\n".encode() + raw

    assert dkim_of(raw)[0][1] == "pass"
    assert dkimpy.verify(
        added, dnsfunc=lambda *_, **__: KEYS["TXT", "r._domainkey.kerbrec.example"][0].encode()
    )
    assert dkim_of(added) == [
        ("kerbrec.example", "fail", f"{name.lower()} occurs more often than it was signed")
    ]


def test_an_unsigned_end_of_the_body_is_refused():
    raw = signed_elsewhere(letter(), length=True)

    assert dkim_of(raw)[0][1] == "pass"
    assert dkim_of(raw + b"PS: payez ici.\r\n") == [
        ("kerbrec.example", "fail", "l= leaves a part of the body unsigned")
    ]


def test_an_expired_signature_does_not_verify():
    raw = signed(letter()).replace(b" t=1700000000;", b" t=1300000000; x=1300000001;")

    assert dkim_of(raw) == [("kerbrec.example", "fail", "ValidationError")]


def test_the_sixth_signature_is_not_looked_at():
    noise = b"".join(
        re.sub(rb"bh=[^;]*;", b"bh=AAAA;", dkim.Signer("evil.example", [RSA]).headers_for(letter()))
        for _ in range(5)
    )
    zone = Zone({**POLICY, **KEYS})

    verdict = trust.evaluate(message.read(noise + signed(letter())), envelope(), zone)

    assert (verdict.dkim, verdict.dmarc) == ("fail", "fail")
    assert len([asked for asked in zone.asked if "_domainkey" in asked]) <= 5


def test_a_good_signature_among_bad_ones_is_enough():
    raw = signed(signed(letter(), "evil.example"), "kerbrec.example", ED25519)
    other = signed(letter(), "liste.example").partition(b"From:")[0]

    assert evaluate(other + raw, POLICY, KEYS).strength is Strength.STRONG


@pytest.mark.parametrize(
    "domain",
    [
        "a" * 64 + ".example",
        "a..example",
        ".example",
        "kerbrec.example/../x",
        "kerbrec.example\x00",
        "x" * 300,
        "example",
        "é" * 70 + ".example",
        "",
    ],
)
def test_a_hostile_domain_is_a_failed_signature(domain: str):
    raw = signed(letter()).replace(b"d=kerbrec.example", f"d={domain}".encode())

    assert [result for _, result, _ in dkim_of(raw)] == ["fail"]


@pytest.mark.parametrize(
    "record",
    [
        "",
        "v=DKIM1; k=rsa; p=",
        "v=DKIM1; k=rsa; p=@@@@",
        "v=DKIM1; k=rsa; p=AAAA",
        "v=DKIM1; k=ed25519; p=AAAA",
        "v=DKIM1; k=dsa; p=AAAA",
        "v=DKIM2; p=AAAA",
        "v=DKIM1; k=rsa; p=" + "A" * 60_000,
        b"\xff" * 300,
        "p",
    ],
)
def test_a_hostile_key_record_is_a_failed_signature(record: str | bytes):
    assert dkim_of(signed(letter()), text("r._domainkey.kerbrec.example", record))[0][1] == "fail"


def test_of_two_keys_under_one_selector_none_is_taken():
    twice = KEYS["TXT", "r._domainkey.kerbrec.example"] * 2

    assert dkim_of(signed(letter()), text("r._domainkey.kerbrec.example", *twice))[0][1] == "fail"
    assert dkim_of(signed(letter()), text("r._domainkey.kerbrec.example", twice[0], "autre"))[0][1] == "pass"


@pytest.mark.parametrize(
    "field",
    [
        "v=1",
        "",
        "v=1; a=rsa-sha1; c=relaxed/relaxed; d=kerbrec.example; s=r; h=from; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; c=relaxed/relaxed; d=kerbrec.example; s=r; h=subject; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; c=x; d=kerbrec.example; s=r; h=from; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; l=99999999999999999999; d=kerbrec.example; s=r; h=from; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; l=; d=kerbrec.example; s=r; h=from; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; d=kerbrec.example; d=evil.example; s=r; h=from; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; d=kerbrec.example; s=r; h=" + ":".join(["from"] * 3000) + "; bh=AAAA; b=AAAA",
        "v=1; a=rsa-sha256; d=kerbrec.example; s=" + "é" * 40 + "; h=from; bh=AAAA; b=AAAA",
    ],
)
def test_a_broken_signature_is_a_failed_signature(field: str):
    assert dkim_of(f"DKIM-Signature: {field}\r\n".encode() + letter())[0][1] == "fail"


def test_broken_headers_are_a_failed_signature():
    assert dkim_of(b"DKIM-Signature: v=1\r\nnot a header\r\n\r\nx")[0][1] == "fail"
    assert dkim_of(b" DKIM-Signature: v=1\r\n\r\nx")[0][1] == "fail"
    assert dkim_of(b"") == []


def test_a_body_of_spaces_costs_no_more_than_another():
    """The verifying library alone needs a second for forty thousand, and a day for ten million."""
    raw = signed(letter(body="a" + " \t" * 1_000_000 + "b\r\n"))

    assert dkim_of(raw)[0][1] == "pass"
    assert dkim_of(raw + b"c" + b" " * 1_000_000)[0][1] == "fail"


# --- SPF: limits ----------------------------------------------------------------------------------------------


def spf_of(record: str, *records: Mapping[tuple[str, str], object], **how: str) -> tuple[str, Zone]:
    zone = Zone({key: value for part in records for key, value in part.items()})
    zone.records["TXT", "kerbrec.example"] = (record,)
    return spf.check(envelope(**how), zone).result, zone


def test_the_mechanisms_ask_our_resolver():
    hosts = {
        ("A", "www.kerbrec.example"): (CLIENT,),
        ("MX", "kerbrec.example"): ("mx.kerbrec.example",),
        ("A", "mx.kerbrec.example"): (CLIENT,),
        ("PTR", CLIENT): ("mx.kerbrec.example",),
        ("A", "10.2.0.192.liste.kerbrec.example"): ("127.0.0.2",),
        ("AAAA", "www.kerbrec.example"): ("2001:db8::10",),
        ("TXT", "_spf.kerbrec.example"): ("v=spf1 ip4:192.0.2.10 -all",),
    }

    for term in ("a:www.kerbrec.example", "mx", "ptr", "exists:%{ir}.liste.%{d}", "include:_spf.%{d}"):
        assert spf_of(f"v=spf1 {term} -all", hosts)[0] == "pass", term
    assert spf_of("v=spf1 redirect=_spf.kerbrec.example", hosts)[0] == "pass"
    assert spf_of("v=spf1 a:www.kerbrec.example -all", hosts, client="2001:db8::10")[0] == "pass"
    assert spf_of("v=spf1 a:www.kerbrec.example -all", hosts, client="::ffff:192.0.2.10")[0] == "pass"


def test_ten_terms_may_ask_and_the_eleventh_ends_it():
    hosts = {("A", f"h{n}.kerbrec.example"): ("198.51.100.1",) for n in range(12)}
    terms = [f"a:h{n}.kerbrec.example" for n in range(12)]

    assert spf_of(f"v=spf1 {' '.join(terms[:10])} -all", hosts)[0] == "fail"
    result, zone = spf_of(f"v=spf1 {' '.join(terms[:11])} -all", hosts)
    assert (result, len(zone.asked)) == ("permerror", 11)


def test_two_questions_without_answer_are_allowed_and_the_third_ends_it():
    assert spf_of("v=spf1 a:1.kerbrec.example a:2.kerbrec.example -all")[0] == "fail"
    assert spf_of("v=spf1 a:1.kerbrec.example a:2.kerbrec.example a:3.kerbrec.example -all")[0] == "permerror"


def test_records_that_include_each_other_end():
    loop = text("b.example", "v=spf1 include:kerbrec.example -all")

    assert spf_of("v=spf1 include:b.example -all", loop)[0] == "permerror"


def test_an_explanation_is_never_fetched():
    result, zone = spf_of("v=spf1 -all exp=pourquoi.kerbrec.example")

    assert (result, zone.asked) == ("fail", ["TXT kerbrec.example"])


@pytest.mark.parametrize(
    "record",
    [
        "v=spf1 " + "ip4:198.51.100.1 " * 5000 + "-all",
        "v=spf1 a:%{",
        "v=spf1 a:%{z}.example",
        "v=spf1 exists:%{d0}.x",
        "v=spf1 a/99 -all",
        "v=spf1 \x00",
        "v=spf1 é",
        "v=spf1 include:" + "a." * 200 + "example",
        "v=spf1 exists:" + "%{l}" * 500 + ".kerbrec.example",
    ],
)
def test_a_hostile_record_is_no_pass(record: str):
    assert spf_of(record)[0] in {"fail", "permerror", "neutral", "none"}


@pytest.mark.parametrize(
    ("sender", "helo", "client", "expected"),
    [
        ("", "mx.kerbrec.example", CLIENT, ("pass", "mx.kerbrec.example")),
        ("", "[192.0.2.10]", CLIENT, ("none", "[192.0.2.10]")),
        ("", "", CLIENT, ("none", "")),
        ("", "localhost", CLIENT, ("none", "localhost")),
        ("x@mx.kerbrec.example", "", CLIENT, ("pass", "mx.kerbrec.example")),
        ("x@mx.kerbrec.example", "", "", ("none", "")),
        ("x@mx.kerbrec.example", "", "not an address", ("none", "")),
        ("x@mx.kerbrec.example", "", "198.51.100.7", ("fail", "mx.kerbrec.example")),
        ("é\udce9@mx.kerbrec.example", "é", CLIENT, ("pass", "mx.kerbrec.example")),
    ],
)
def test_who_is_asked_about(sender: str, helo: str, client: str, expected: tuple[str, str]):
    zone = Zone(text("mx.kerbrec.example", "v=spf1 ip4:192.0.2.10 -all"))

    found = spf.check(envelope(sender, client, helo), zone)

    assert (found.result, found.domain if found.result != "none" or client == CLIENT else "") == expected


# --- Authentication-Results -----------------------------------------------------------------------------------

MX = "mx.centre.example"
PASSED = "dmarc=pass (p=none dis=none) header.from=kerbrec.example"


def believed(*fields: str, sender: str = "anne@kerbrec.example") -> Trust:
    headers = "".join(f"Authentication-Results: {field}\r\n" for field in fields)
    return trust.believe(message.read(letter(sender, headers=headers)), MX)


def test_the_word_of_the_believed_host_is_taken():
    assert believed(
        f"{MX};\r\n\tdkim=pass header.d=kerbrec.example;\r\n\tspf=fail smtp.mailfrom=x.example; {PASSED}"
    ) == Trust(Strength.STRONG, "fail", "pass", "pass", f"authserv-id {MX}: dmarc=pass")


@pytest.mark.parametrize(
    "field",
    [
        f"{MX}; {PASSED}",
        f"{MX} 1; {PASSED}",
        f"MX.Centre.Example; {PASSED}",
        f'"{MX}"; {PASSED}',
        f"(bonjour) {MX} (c'est nous); {PASSED}",
        f"{MX}; {PASSED};",
        f"{MX};{PASSED}; arc=none",
        f"{MX}; dmarc=pass",
        f"{MX}; dmarc=pass action=none header.from=Kerbrec.Example",
        f'{MX}; dkim=pass header.i=@kerbrec.example header.b="Ab/c+="; dkim=fail header.d=x.example; {PASSED}',
    ],
)
def test_it_is_read_in_all_its_spellings(field: str):
    assert believed(field).strength is Strength.STRONG


@pytest.mark.parametrize(
    "fields",
    [
        (),
        (f"mx.evil.example; {PASSED}",),
        (f"{MX}.evil.example; {PASSED}",),
        (f"evil.example ({MX}); {PASSED}",),
        (f"{MX}",),
        (f"{MX}; none",),
        (f"{MX}; dmarc=fail header.from=kerbrec.example",),
        (f"{MX}; dmarc=pass header.from=evil.example",),
        (f"{MX}; dmarc=bestguesspass header.from=kerbrec.example",),
        (f"{MX}; dmarc=pass header.from=kerbrec.example; dmarc=fail header.from=kerbrec.example",),
        (f"{MX}; dkim=pass header.d=kerbrec.example; spf=pass smtp.mailfrom=kerbrec.example",),
        (f'{MX}; dkim=pass reason="ok; {PASSED}" header.d=kerbrec.example',),
        (f"{MX}; spf=pass (x; {PASSED}) smtp.mailfrom=x",),
        (f"spf=pass (sender IP is 192.0.2.1) smtp.mailfrom=x; {PASSED}",),  # Exchange, without a name
        (f"; {PASSED}",),
        (f"{MX}; dmarc=pass {'(' * 4000}",),
        (f"{MX}; {PASSED}" + " " * 20000 + "x",),
        # The host's own field stands above what came in: what it says or fails to say goes before the rest.
        (f"{MX}; dmarc=fail header.from=kerbrec.example", f"{MX}; {PASSED}"),
        (f"{MX}; ((((", f"{MX}; {PASSED}"),
        (f"{MX}; none", f"{MX}; {PASSED}"),
    ],
)
def test_everything_else_is_weak(fields: tuple[str, ...]):
    assert believed(*fields).strength is Strength.WEAK


def test_a_field_of_another_hop_above_is_passed_over():
    assert (
        believed("relais.example; dmarc=fail header.from=kerbrec.example", f"{MX}; {PASSED}").strength
        is Strength.STRONG
    )


def test_no_name_believes_nobody():
    raw = letter(headers=f"Authentication-Results: {MX}; {PASSED}\r\n")

    assert trust.believe(message.read(raw), "").strength is Strength.WEAK
    assert trust.believe(message.read(raw), "  ").strength is Strength.WEAK


def test_two_authors_are_weak_whatever_the_host_says():
    raw = letter(headers=f"Authentication-Results: {MX}; {PASSED}\r\nFrom: evil@evil.example\r\n")

    assert trust.believe(message.read(raw), MX).why == "no single From address"


def test_a_field_that_came_in_over_smtp_means_nothing():
    raw = letter(headers=f"Authentication-Results: {MX}; {PASSED}\r\n")

    assert evaluate(raw, POLICY).strength is Strength.WEAK


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet=f'();"\\=. /@,mx{MX}\r\n\té', max_size=60), st.binary(max_size=200))
def test_whatever_is_written_nothing_raises(field: str, noise: bytes):
    head = f"Authentication-Results: {MX}; {field}\r\nDKIM-Signature: {field}\r\n".encode()

    for raw in (head + letter(), noise, head + noise):
        assert trust.believe(message.read(raw), MX).strength is Strength.WEAK
        assert trust.evaluate(message.read(raw), envelope(field), Zone({})).strength is Strength.WEAK
