"""Domains of addresses: their one comparable form, public providers, and this machine.

A public provider's domain says nothing about an organisation. All is answered from the name alone: nothing is
looked up.
"""

import re
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


def u_label(domain: str) -> str:
    """A domain as a reader sees it."""
    if "xn--" not in domain or len(domain) > 253:
        return domain
    try:
        return idna.decode(domain)
    except (idna.IDNAError, UnicodeError):
        return domain


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
