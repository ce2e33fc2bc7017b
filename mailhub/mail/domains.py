"""Domains of addresses: their one comparable form, public providers, domains made to be mistaken, and this machine.

A public provider's domain says nothing about an organisation; a look-alike domain is never matched with the one
it imitates. Both questions are answered from the name alone: nothing is looked up.
"""

import re
import unicodedata
from ipaddress import ip_address

import idna


def a_label(domain: str) -> str:
    """A domain in lower case and ASCII (RFC 5891), or only in lower case when it cannot be."""
    bare = domain.rstrip(".").lower()
    if bare.isascii() or len(bare) > 253:
        return bare
    try:
        return idna.encode(bare, uts46=True).decode("ascii").lower()
    except (idna.IDNAError, UnicodeError):
        return bare


def is_loopback(host: str) -> bool:
    """Say whether a host is this very machine, by what is written."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def is_public_provider(domain: str) -> bool:
    """Say whether anyone may have an address at this domain, so that it proves no organisation."""
    bare = a_label(domain)
    return bare in _PROVIDERS or _FAMILY.fullmatch(bare) is not None


def looks_like(candidate_domain: str, known_domain: str) -> bool:
    """Say whether a domain could be taken for one we know without being it.

    A true subdomain does not count: only the owner of the domain can make one.
    """
    candidate, known = a_label(candidate_domain), a_label(known_domain)
    if not candidate or not known or candidate == known or candidate.endswith(f".{known}"):
        return False
    name = _skeleton(_main_label(known))
    imitated = _skeleton(_main_label(candidate))
    words, labels = re.split(r"[.-]", _skeleton(candidate)), re.split(r"[.-]", name)
    return (
        imitated == name  # kerbrec.test for kerbrec.example, homoglyphs
        or _contains(words[:-1], labels)  # kerbrec-ville.example, kerbrec.example.evil.example
        or (len(name) >= 5 and _flat(name) in _flat(imitated))  # kerbrecville.example, ker-brec.example
        or (len(name) >= 5 and _one_slip(_flat(imitated), _flat(name)))  # kerberc.example
    )


# --- look-alikes --------------------------------------------------------------------------------------------

# Letters of other alphabets and pairs of letters that read as Latin ones. After Unicode TS #39, the few that matter.
_CONFUSABLE = str.maketrans(
    "аеорсухіјѕԁһԛԝвнкмтαοερνικτυχ0135",
    "aeopcyxijsdhqwbhkmtaoepviktyxoles",
)
_SECOND_LEVEL = frozenset({"asso", "co", "com", "edu", "gouv", "gov", "ac", "net", "nom", "org", "prd", "tm"})


def _skeleton(domain: str) -> str:
    """A name with everything folded that the eye may confuse."""
    text = unicodedata.normalize("NFKD", u_label(domain)).translate(_CONFUSABLE)
    plain = "".join(char for char in text if not unicodedata.combining(char)).lower()
    return plain.replace("rn", "m").replace("vv", "w").replace("cl", "d").replace("i", "l")


def u_label(domain: str) -> str:
    """A domain as a reader sees it."""
    if "xn--" not in domain or len(domain) > 253:
        return domain
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


def _main_label(domain: str) -> str:
    """The label an organisation chose: `kerbrec` in kerbrec.example, mairie.kerbrec.example, kerbrec.asso.fr."""
    labels = domain.split(".")
    ends = 2 if len(labels) > 2 and labels[-2] in _SECOND_LEVEL else 1
    return labels[-ends - 1] if len(labels) > ends else labels[0]


def _flat(name: str) -> str:
    return name.replace("-", "")


def _contains(words: list[str], wanted: list[str]) -> bool:
    """Say whether `wanted` stands in `words` as a run; very short names would be found everywhere."""
    run = len(wanted)
    return sum(map(len, wanted)) >= 4 and any(words[at : at + run] == wanted for at in range(len(words)))


def _one_slip(written: str, meant: str) -> bool:
    """Say whether one letter is missing, added, wrong, or swapped with its neighbour."""
    if abs(len(written) - len(meant)) > 1 or written == meant:
        return False
    same = next(
        (at for at, (a, b) in enumerate(zip(written, meant, strict=False)) if a != b),
        len(min(written, meant, key=len)),
    )
    left, right = written[same:], meant[same:]
    swapped = left[:2] == right[:2][::-1] and left[2:] == right[2:]
    return left[1:] == right or left == right[1:] or left[1:] == right[1:] or swapped


# --- public providers ---------------------------------------------------------------------------------------

# Sold under one name in many countries: hotmail.fr, yahoo.co.uk, outlook.com.br.
_FAMILY = re.compile(
    r"(?:hotmail|outlook|live|yahoo|ymail|rocketmail|gmx|aol|yandex|windowslive|protonmail|tutanota)"
    r"\.(?:[a-z]{2,3}|com?\.[a-z]{2})"
)
_PROVIDERS = frozenset(
    """
    gmail.com googlemail.com icloud.com me.com mac.com msn.com passport.com
    orange.fr wanadoo.fr voila.fr free.fr freesbee.fr libertysurf.fr online.fr aliceadsl.fr alice.fr worldonline.fr
    sfr.fr neuf.fr 9online.fr 9business.fr cegetel.net club-internet.fr numericable.fr numericable.com noos.fr
    laposte.net bbox.fr bouyguestelecom.fr tele2.fr dartybox.com ozone.net estvideo.fr evhr.net netcourrier.com
    caramail.com caramail.fr lycos.fr mailo.com mailo.fr net-c.fr francite.com ouvaton.org
    proton.me pm.me protonmail.ch tuta.io tuta.com tutamail.com keemail.me posteo.de posteo.net
    mailbox.org disroot.org riseup.net autistici.org vivaldi.net fastmail.com fastmail.fm hushmail.com zoho.com
    mail.com email.com usa.net mail.ru bk.ru inbox.ru list.ru rambler.ru ya.ru web.de t-online.de freenet.de arcor.de
    1und1.de skynet.be telenet.be scarlet.be proximus.be voo.be bluewin.ch hispeed.ch sunrise.ch libero.it virgilio.it
    tiscali.it tin.it alice.it tiscali.fr telefonica.net terra.es sapo.pt btinternet.com sky.com talktalk.net
    comcast.net verizon.net att.net sbcglobal.net bellsouth.net cox.net charter.net videotron.ca sympatico.ca bell.net
    qq.com 163.com 126.com yeah.net sina.com naver.com daum.net hanmail.net duck.com hey.com mozmail.com
    privaterelay.appleid.com simplelogin.com yopmail.com yopmail.fr mailinator.com guerrillamail.com
    """.split()  # noqa: SIM905 — a hundred names in a dozen lines
)
