"""What stands below somebody's words and is nobody's: signatures, « Envoyé de mon iPhone », confidentiality notices.

A sign-off without any delimiter (« Cordialement, Nadia ») is left where it is: it may hold an answer.
"""

import re

from mailhub.mail.headings import is_rule
from mailhub.mail.lines import Lines
from mailhub.mail.wording import phrases

_LINK = re.compile(r"[<(\[]?\b(?:https?://|mailto:|www\.)[^\s<>()\[\]]*[>)\]]?")
_FRAME = "<>()[]*_-–\"' \t."
_MINE = r"(?:my|mon|ma|meine[mr]?|mi|mio|mia|min|mitt|mijn|meu|minha|moje\w*|mojego|meho|sveho|моего|моей|мого|minu|benim)"
_THING = (
    r"(?:i-?phones?|ipads?|ipods?|android|samsung|galaxy|blackberry|outlook|courrier|mail|yahoo\w*|mailbox|mobil\w*|\w*phones?|"
    r"smartphone|telephone|telefoon|telefon\w*|portable|tablet\w*|huawei|xiaomi|redmi|oneplus|pixel|nokia|xperia|htc|wiko|honor|oppo|"
    r"orange|sfr|bouygues|free|laposte|windows|mac|macbook|proton\w*|tuta\w*|gmail|k-9|airmail|spark|typeapp|bluemail|application|"
    r"appli|app|appareil|device|gerat|handy|telefono|movil|cellulare|telemovel|celular|cell|dispositivo|toestel|webmail|"
    r"айфон\w*|телефон\w*|iphonesta|puhelimesta|pad|hp|lg|zte|sony|motorola|surface)"
)
_SENT = (
    r"(?:sent|message sent|envoyee?s?|message envoye|mail envoye|expedie|transmis|ecrit|gesendet|versendet|geschrieben|enviado|mensaje enviado|"
    r"inviato|messaggio inviato|verzonden|verstuurd|wys[lł]an[eoy]|sendt|skickat|lahetetty|odeslano|odoslane|отправлено|надіслано|"
    r"изпратено|trimis|elkuldve|poslano|saadetud|nosutits)"
)
_BY = (
    r"(?:from|via|with|using|by|on|de|depuis|du|d'un|d'une|a partir d(?:e|o|a|'un)?|avec|par|sur|grace a|a l'aide de|von|vom|mit|uber|"
    r"aus|desde|con|do|da|dal|dalla|tramite|vanaf|van|met|vanuit|z|ze|pomoci|fra|fran|med|iz|с|со|из|з|от|de pe|az|mu)"
)
# « Envoyé de mon iPhone », "Sent from my Galaxy, please excuse any typos"
_SENT_FROM = re.compile(rf"{_SENT} {_BY}\b[ ']*(?P<rest>.*)$")
_PROGRAM = re.compile(
    r"sent (?:from|via|with|using) [^\s,.;:!?]+(?: [^\s,.;:!?]+){0,2}"
)  # programs in plenty, in English only
_EXCUSE = re.compile(
    r"[,.;:!-] *(?:please |merci (?:d')?|bitte )?(?:excus|sorry|pardon|forgive|apolog|desole|veuillez|ignore|d'avance|entschuld|disculp|scus).*$"
)
_OWN_THING = re.compile(rf"{_MINE}\b|.*\b{_THING}\b")
_OTHER_WORDINGS = phrases(
    rf"von {_MINE} .{{1,40}} (?:gesendet|aus gesendet|geschickt|verschickt)$",
    r"(?:von unterwegs|unterwegs|mobil) gesendet$",
    rf"diese (?:nachricht|e-?mail) wurde (?:von|mit|uber) .{{0,40}}\b{_THING}\b.{{0,40}} (?:gesendet|verschickt)$",
    rf"(?:cet? (?:e-?mail|courriel|message)|this (?:e-?mail|message)) (?:a ete envoyee?|was sent) {_BY}\b.{{0,30}}\b{_THING}\b.{{0,30}}$",
    r"(?:[^\W\d]+ ){0,3}\[?outlook (?:for|pour|fur|para|per|voor|dla|til|for|pro|для|a|na|till) (?:android|ios|iphone|mac|mobile|windows).{0,30}$",
    r"outlook .{2,12} (?:android|ios) .{3,20}$",
    r"provenance ?: (?:courrier|mail|outlook)\b.{0,40}$",
    r"(?:发自|發自|从我的|從我的|自我的).{1,40}$",
    r".{1,40}(?:から送信|에서 보냄|に送信|傳送)$",
    rf".{{0,20}}{_THING}\b\S{{0,8}} (?:gonderildi|kuldve|kuldtem|lahetetty)$",
    r"telecharge[rz] (?:l'application )?.{2,40}$",
)
_CONTACT = re.compile(r"https?://|www\.|@|\+?\d[\d ().-]{7,}\d|\bmailing list\b|\btel\b|\bmob(?:ile)?\b")
_POSTSCRIPT = re.compile(r"(?:p\.? ?s\.?|post[- ]?scriptum|n\.? ?b\.?)\b ?[:.,-]?")
_DELIMITER_LINES = 14  # of a signature below "--" without its blank
_SIGNATURE_LINES = 40  # of one below the true delimiter
_LONGEST_LINE = 120  # of a signature; longer ones are prose, or a notice

_NOTICE_OPENS = phrases(
    r"^\W*(?:important|avertissement|disclaimer|avis(?: de confidentialite)?|confidentialite|confidentiality(?: notice)?|attention|note|notice|nota)?"
    r"\W{0,4}(?:ce (?:message|mail|courriel|courrier)|cet e-?mail|ces? informations?|les informations|l'information|le present (?:message|mail|courriel)|"
    r"this (?:e-?mail|message|communication|transmission)|the (?:information|contents?)|diese (?:e-?mail|nachricht)|"
    r"este (?:mensaje|correo|e-?mail)|questo (?:messaggio|e-?mail)|(?:dit|deze) (?:bericht|e-?mail)|esta mensagem|"
    r"la presente|il presente|le contenu|si vous (?:n'etes pas|avez recu)|if you (?:are not|have received)|sollten sie nicht|toute (?:utilisation|diffusion))",
)
_NOTICE_SAYS = phrases(
    r"confiden", r"destinataire", r"intended (?:recipient|solely|only|for)", r"privileged", r"vertraulich", r"empfanger", r"riservat",
    r"vertrouwelijk", r"geadresseerde", r"usage exclusif", r"par erreur", r"in error", r"por error", r"per errore", r"irrtumlich",
    r"\bviru[st]", r"ne saurait (?:engager|etre tenu)",
)  # fmt: skip
_PLEA = phrases(
    # An appeal begins its sentence; « Pensez-vous que … ? » and « il faut penser à … » are somebody's words.
    r"(?:^\W*|[.!?:;,*|-] \W*|\b(?:merci de|please|s'il vous plait,?|svp,?) )"
    r"(?:pensez|pensons|penser|think|bitte|piensa|pense)\b(?!-).{0,60}(?:environnement|planete|environment|umwelt|medio ambiente|avant d'imprimer|before (?:you )?print)",
    r"(?:n'imprim|avant d'imprimer|imprimer que si|before printing|don't print|do not print)",
    r"(?:sans virus|virus-free|virenfrei|libre de virus|privo di virus)",
    r"\babsence de virus\b.{0,80}\b(?:avast|avg|antivirus|mcafee|norton)\b",
)
_ASKS = re.compile(r"[^.!?]*\?")


def is_mobile(plain: str) -> bool:
    """Say whether a line is what a telephone or a program writes under every mail."""
    if not plain or len(plain) > 160:
        return False
    bare = _LINK.sub(" ", plain).replace("][", " ").strip(_FRAME)
    bare = " ".join(bare.replace("[", " ").replace("]", " ").split())
    if not bare:
        return False
    if sent := _SENT_FROM.match(bare):
        if _PROGRAM.fullmatch(bare):
            return True
        rest = _EXCUSE.sub("", sent["rest"]).strip(_FRAME)
        return (
            0 < len(rest) <= 60
            and rest.count(" ") <= 7
            and "," not in rest
            and _OWN_THING.match(rest) is not None
        )
    return bare.count(" ") <= 12 and _OTHER_WORDINGS.match(bare) is not None


def is_postscript(plain: str) -> bool:
    """Say whether a line begins what its author thought of later."""
    return _POSTSCRIPT.match(plain) is not None


def mobile(lines: Lines, start: int, end: int) -> tuple[int, int] | None:
    """The first such line that stands by itself between `start` and `end`, with its likes below."""
    for index in range(start, end):
        alone_above = index == start or not lines.plain[index - 1] or is_rule(lines.plain[index - 1])
        if not alone_above or not is_mobile(lines.plain[index]):
            continue
        below = lines.plain[index + 1] if index + 1 < end else ""
        if not below or is_rule(below) or is_mobile(below) or _LINK.fullmatch(below):
            behind = index + 1
            while behind < end and (not lines.plain[behind] or is_mobile(lines.plain[behind])):
                behind += 1
            return index, behind
    return None


def signature(lines: Lines, start: int, end: int) -> int | None:
    """The line of the delimiter above a signature that fills what remains before `end`."""
    while end > start and not lines.plain[end - 1]:
        end -= 1
    for index in range(max(start, end - 2 * _SIGNATURE_LINES), end):
        plain = lines.plain[index]
        if plain[:1] not in {"-", "_"} or not _is_delimiter(plain):
            continue
        below = [lines.plain[line] for line in range(index + 1, end) if lines.plain[line]]
        if not below or max(map(len, below)) > _LONGEST_LINE:
            continue
        strict = lines.raw(index) == "-- "  # RFC 3676 section 4.3
        if len(below) > (_SIGNATURE_LINES if strict else _DELIMITER_LINES):
            continue
        if plain == "--" or any(_CONTACT.search(line) for line in below):
            return index
    return None


def footer(lines: Lines, start: int, end: int) -> int:
    """Where the notices begin that end a text; `end` when there are none."""
    first = end
    at = end
    while at > start:
        last = at
        while last > start and not lines.plain[last - 1]:
            last -= 1
        at = last
        while at > start and lines.plain[at - 1]:
            at -= 1
        if at in {last, start}:
            return first
        paragraph = " ".join(lines.plain[at : min(last, at + 30)])
        if is_rule(paragraph):
            continue
        if not (_is_notice(paragraph) or _is_plea(paragraph)):
            return first
        first = at
    return first


def _is_delimiter(plain: str) -> bool:
    """ "--" of RFC 3676, its dash as some keyboards correct it, the lines of underscores of mailing lists."""
    return (
        plain == "--"
        or (plain[0] == "_" and not plain.strip("_"))
        or (plain[0] == "-" and plain.strip("-") == "" and len(plain) in {1, 2})
    )


def _is_notice(paragraph: str) -> bool:
    """Say whether a paragraph says what no person asks: a notice has no question."""
    opens = _NOTICE_OPENS.search(paragraph[:400]) is not None
    return opens and "?" not in paragraph and _NOTICE_SAYS.search(paragraph) is not None


def _is_plea(paragraph: str) -> bool:
    """Say whether a paragraph appeals to everybody; a sentence that asks is a person's."""
    if len(paragraph) > 300:
        return False
    return any(not _ASKS.match(paragraph, found.end()) for found in _PLEA.finditer(paragraph))
