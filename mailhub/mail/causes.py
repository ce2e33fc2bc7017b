"""Why a mail did not arrive, and whose fault it is: from enhanced status codes and from words.

Codes: RFC 3463 and the registry of RFC 5248. Servers often send a general code and say the truth in words,
so plain words about a full mailbox, an unknown user or spam go before a general code.
"""

from dataclasses import dataclass

from mailhub.mail.wording import fold, phrases

FULL = phrases(
    r"(mail)?box (is |was )?(currently |temporarily )?full",
    r"mail(box|folder| folder)?.{0,30}\bis full\b",
    r"\bover[- ]?quota",
    r"quota (exceed|violation|depasse|full)",
    r"(exceed|exceeds|exceeded|exceeding|past|over|out of|reached)\W.{0,40}\b(quota|storage|space|mailbox size)",
    r"(disk|mailbox|mail|user|storage) (space )?quota",
    r"\binbox is full",
    r"storage (space|limit|quota|exceeded)",
    r"too much mail (stored|data)",
    r"(not enough|no|insufficient) (disk |storage |mailbox |system )*(space|storage)",
    r"(boite|bal|messagerie|mailbox).{0,40}\b(pleine|saturee)",
    r"quota.{0,40}(depasse|atteint)",
    r"(postfach|mailbox|speicher).{0,40}(voll|uberfullt|ueberfuellt|uberschritten)",
    r"buzon.{0,20}lleno",
    r"casella.{0,20}piena",
    r"(postvak|mailbox|postbus).{0,20}vol\b",
    r"caixa.{0,20}cheia",
    r"mailbox size limit|too many (messages|mails) on the server",
)
OUR_QUOTA = phrases(
    r"(relay|sending|outgoing|outbound|daily|hourly|rate)\W.{0,20}quota", r"quota.{0,30}per (hour|day)"
)
TOO_LARGE = phrases(
    r"(message|mail|e-?mail|attachment|data|content)s?.{0,30}\b(too (large|big)|oversized?)",
    r"too (large|big) (a |an )?(message|mail|for)",
    r"(message|mail) (size|length)\W.{0,40}(exceed|limit|larger|too|max)",
    r"(exceed|larger|bigger|greater|over)\w*\W.{0,40}(size|length|fixed|maximum|administrative) ?.{0,20}(limit|size)",
    r"(size|length) limit",
    r"maximum (message |permitted )*(size|length)",
    r"trop (volumineux|gros|lourd)",
    r"taille (maximale|du message|limite)",
    r"(nachricht|mail).{0,30}zu gross",
    r"demasiado grande|troppo grande|te groot|muito grande",
)
NO_HOST = phrases(
    r"host( or domain| name)*( name)? (is )?(not found|unknown)",
    r"unknown (host|domain|destination)",
    r"\b(domain|host)( name)? (does not|doesn't|did not) exist",
    r"no such (host|domain)",
    r"\bdomain (name )?(not found|unknown|is invalid|is not valid)\b",
    r"(name|node|service) or service not known|nodename nor servname",
    r"unrouteable (mail )?(domain|address)|unroutable (mail )?(domain|address)",
    r"\bno (mx|mail exchanger|a record|dns|valid (mx|mail host)|route to domain)",
    r"(could not|couldn't|cannot|can't|unable to|failed to) (find|locate|resolve|look ?up)\W.{0,60}"
    r"(host|domain|mail exchanger|gateway|mx|dns|address)",
    r"nullmx|null mx|no smtp service|does not accept (mail|e-?mail)|nxdomain",
    r"bad destination (system|host|domain)",
    r"(domaine|hote|serveur) (inconnu|inexistant|introuvable|non trouve)",
    r"illegal host|malformed (domain|dns|name server)|name service error|domain is not reachable",
)
# What is blocked is we: an address of ours, a list we stand on, a mail for what it says.
BLOCKED_US = phrases(
    r"\b(ip( address)?|your (server|host|domain|address|ip|e-?mail|mail|message)s?|sender( address)?)\b.{0,60}\b(block|suspend|black ?list|ban)",
    r"\bblocked (using|by|due|because|for|at)\b|\b(spam|virus)\W.{0,20}\bblock|\bblocked\W.{0,20}\bspam",
    r"\b(mail|e-?mail|message)s? (is |was |has been |have been )?blocked\b|\b(rbls?|dnsbl|spamhaus|barracuda)\b",
)
# They have too much at once, from us or from everybody: later it is let in.
THROTTLED = phrases(
    r"receiving (e-?mail|mail|messages) (too (quickly|fast)|at a rate)|\brate.?limit",
    r"too many (e-?mails|mails|messages|connections|recipients)\W.{0,40}\b(hour|minute|day|time|recently|quickly)",
)
DISABLED = phrases(
    r"(account|mailbox|user|address|recipient|mail|compte|boite|utilisateur)\b.{0,40}\b(disabled|inactive|suspended|"
    r"locked|discontinued|deactivated|not active|closed|frozen|expired|terminated|blocked|desactivee?|suspendue?|bloquee?|ferme|cloture)",
    r"(disabled|inactive|suspended|locked|deactivated|closed|expired) (account|mailbox|user|address|recipient)",
    r"no longer (active|in use|available|valid|used|monitored|on the server)",
    r"(n'est|nest) plus (actif|active|valide|utilisee?)",
    r"(konto|postfach).{0,30}(gesperrt|deaktiviert|geschlossen)",
    r"not accepting (any |new )?(mail|messages|e-?mail)(?! (from|with)\b)",
)
NO_USER = phrases(
    r"\b(user|recipient|mailbox|account|addressee?|destinataire|address)s?\W{0,3}( is| are)? ?(unknown|not known|"
    r"not found|inconnue?s?|invalid)",
    r"unknown\W{0,3}(or illegal )?(local )?(user|recipient|address|addressee|mailbox|account|alias|local-?part)",
    r"(no such|nonexistent|non-existent|no) (\w+ )?(user|mailbox|recipient|address|person|account|alias)\b",
    r"(user|recipient|mailbox|address|account|e-?mail)\W.{0,60}(doesn't|does not|didn't|don't|do not) (exist|have)",
    r"(invalid|illegal|bad|unrouteable) (final delivery )?(destination )?(user ?id|recipient|mailbox|address|user|"
    r"e-?mail address)",
    r"(not|isn't|is not) (a |an |listed |found )?(valid |known |local |our |in )*(user|recipient|mailbox|address|"
    r"domino directory|account)\b",
    r"mailbox (is )?(unavailable|not available|disabled or)|no mailbox here",
    r"(recipient|recipname|name|user|address).{0,40}not (recognized|found|listed|known)|recipnotfound",
    r"couldn't be found|could not be found|not our customer|nobody by that name|no account by that name",
    r"(utilisateur|destinataire|adresse|compte|boite).{0,40}(inconnue?|n'existe (pas|plus)|introuvable|invalide|"
    r"inexistante?)",
    r"(benutzer|empfanger|adresse|postfach).{0,40}(unbekannt|nicht gefunden|existiert nicht)|unbekannter (benutzer|empf)",
    r"(usuario|destinatario|direccion|buzon|cuenta).{0,40}(desconocid|no existe|inexistente|no encontrad)",
    r"(utente|destinatario|indirizzo|casella).{0,40}(sconosciut|inesistente|non esiste)",
    r"(gebruiker|geadresseerde|adres).{0,40}(onbekend|bestaat niet)",
    r"(usuario|destinatario|endereco).{0,40}(desconhecid|nao existe)",
    r"has moved|relocated|plus a cette adresse",
    r"recipient address rejected: access denied",  # Exchange Online, of whoever it does not know
)
REFUSED = phrases(
    r"\bspam|\bjunk\b|\buce\b|unsolicited|\bbulk mail",
    r"block(ed|list| list|ing)|black ?list|ban(ned|list)|deny ?list|dnsbl|\brbls?\b|uribl|spamhaus|barracuda",
    r"polic(y|ies)\b|politique",
    r"\bden(y|ied)|reject(ed|s|ion)?\b|refus(ed|e)\b|prohibited|forbidden|not (allowed|authorized|permitted|accepted)",
    r"\b(spf|dkim|dmarc|ptr|rdns)\b|reverse dns|authenti[cf]|reputation|relay(ing)? ?(access|denied|not)|not relay",
    r"virus|malware|phishing|content|executable",
    r"(sender|from|mail from|helo|ehlo|originator).{0,40}(invalid|unknown|denied|verif|not exist|rejected|domain)",
    r"greylist|graylist|throttl|rate limit|too many|try again later|service (refused|unavailable)|members-only|permission",
    r"indesirable|rejete|abgelehnt|rechazad|rifiutat|geweigerd|rejeitad",
)
NO_WAY = phrases(
    r"tim(ed|e)[ -]?out|timeout",
    r"(could not|couldn't|cannot|can't|unable to|wasn't able to|failed to) (connect|establish|contact|reach|initiate|open)",
    r"connect(ion|ing)?\W.{0,40}(refused|failed|closed|dropped|lost|reset|broken|error)",
    r"(not|never|isn't|didn't) (respond|answer|accept our requests)",
    r"retry time|retries|attempts?\b|in the queue too long|message expired|been failing|giv(en|ing) up",
    r"no route|unreachable|network|socket error|host.{0,20}(down|unavailable)",
    r"\bloop|too many hops|hop count",
    r"temporar|deferred|busy|unavailable",
    r"injoignable|delai (depasse|expire)|nicht erreichbar|zeituberschreitung",
)

# By the last two numbers of an enhanced status; the first only says how sure the server is.
STATUSES = {
    "1.0": "",
    "1.1": "user-unknown",
    "1.2": "host-unknown",
    "1.3": "user-unknown",
    "1.4": "user-unknown",
    "1.5": "",
    "1.6": "user-unknown",
    "1.7": "rejected",  # our own sender address
    "1.8": "rejected",
    "1.9": "rejected",
    "1.10": "",  # null MX in RFC 7505, no such recipient in Exchange: the words tell
    "2.1": "mailbox-disabled",
    "2.2": "mailbox-full",
    "2.3": "too-large",
    "2.4": "rejected",
    "3.1": "mailbox-full",
    "3.4": "too-large",
    "4.1": "",  # no answer in RFC 3463, no such recipient in Exchange
    "4.2": "unreachable",
    "4.3": "unreachable",
    "4.4": "host-unknown",
    "4.6": "unreachable",
    "4.7": "unreachable",
    "7.13": "mailbox-disabled",
}
ADDRESS, MAILBOX, POLICY, TRANSPORT = "address", "mailbox", "policy", "transport"
FAULTS = {
    "user-unknown": ADDRESS,
    "host-unknown": ADDRESS,
    "mailbox-full": MAILBOX,
    "mailbox-disabled": MAILBOX,
}
FAULTS |= {"rejected": POLICY, "too-large": POLICY, "unreachable": TRANSPORT, "other": TRANSPORT}


@dataclass(frozen=True, slots=True)
class Cause:
    """A reason and the side it lies on: `address`, `mailbox`, `policy` (ours) or `transport`."""

    reason: str
    fault: str


def judge(status: str | None, words: str) -> Cause:
    """Weigh an enhanced status and the server's words, most telling first."""
    said = fold(" ".join(words.split()))[:4_000]
    reason = _reason(status, said)
    # 5.7.x never counts against the person, whatever the words: it is what we are or how we send.
    if status and status.split(".")[1] == "7":
        return Cause(reason, POLICY)
    return Cause(reason, FAULTS[reason])


def _reason(status: str | None, said: str) -> str:
    """Words about size and space, then a precise code, then all other words."""
    if FULL.search(said) and not OUR_QUOTA.search(said):
        return "mailbox-full"
    if TOO_LARGE.search(said):
        return "too-large"
    if THROTTLED.search(said):
        return "rejected"
    subject = status.split(".", 1)[1] if status else ""
    told = _told(said)
    if subject.startswith(("7.", "6.")):
        plain = told == "user-unknown" and not REFUSED.search(said)
        return STATUSES.get(subject) or ("user-unknown" if plain else "rejected")
    known = STATUSES.get(subject, "")
    if known in {"user-unknown", "mailbox-disabled"}:
        # 5.1.1 of a closed account, 5.2.1 of one that never was, 4.2.1 of a server that slows us down
        wavering = {"user-unknown", "mailbox-disabled"} | (
            {"rejected"} if status and status[0] == "4" else set()
        )
        return told if told in wavering else known
    return known or told or DEFAULTS.get(subject.split(".")[0], "other")


def _told(said: str) -> str:
    """The first reason the words name, "" when they name none."""
    return next((reason for reason, pattern in WORDS if pattern.search(said)), "")


WORDS = (
    ("host-unknown", NO_HOST),
    ("rejected", BLOCKED_US),
    ("mailbox-disabled", DISABLED),
    ("user-unknown", NO_USER),
    ("rejected", REFUSED),
    ("unreachable", NO_WAY),
)
DEFAULTS = {"1": "user-unknown", "4": "unreachable"}  # by the subject digit of the status
