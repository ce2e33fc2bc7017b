"""What stands above a message carried along whole: a line of dashes with words, a block of header lines.

« -----Message d'origine----- », « De : / Envoyé : / À : / Objet : », « Début du message transféré : », and the line
some services print to be answered above. Words are looked up by kind, so any client that puts two of them
together is understood, in any of the languages.
"""

import re
from dataclasses import dataclass
from enum import StrEnum

from mailhub.mail.lines import Lines
from mailhub.mail.wording import fold


class Carries(StrEnum):
    """What lies below a heading."""

    HISTORY = "history"  # an earlier message of the conversation
    FORWARD = "forward"  # a message somebody passes on
    MAIL = "mail"  # header lines alone: one or the other, as the subject says
    ALL_BELOW = "all below"  # a service said so


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading: what it carries, and the line behind it."""

    carries: Carries
    end: int


_LABELS = {
    "from": "de|from|von|da|van|od|fra|från|lähettäjä|от|від|от кого|від кого|发件人|寄件者|差出人|보낸 사람|kimden|gönderen|feladó|"
    "de la|από|expéditeur|absender|remitente|mittente|afzender|message de|nadawca|pošiljatelj|từ|dari|送信者",
    "date": "date|datum|fecha|data|dato|dátum|päivämäärä|pvm|дата|日期|日時|日付|날짜|tarih|ημερομηνία|ngày",
    "sent": "envoyé|envoyé le|envoyée|envoyée le|date d'envoi|message du|sent|date sent|sent at|gesendet|gesendet am|enviado|enviado el|"
    "enviado em|enviada em|enviada|inviato|inviata|inviato il|data invio|verzonden|datum verzonden|wysłano|wysłane|data wysłania|"
    "odesláno|odoslané|sendt|skickat|skickades|lähetetty|отправлено|відправлено|дата відправлення|发送时间|发送日期|傳送時間|寄件日期|"
    "送信日時|보낸 날짜|보낸 시간|gönderildi|gönderme tarihi|elküldve|küldve|trimis|poslano|đã gửi|dikirim",
    "to": "à|a|to|pour|an|para|per|aan|do|komu|til|till|vastaanottaja|кому|收件人|宛先|받는 사람|kime|alıcı|címzett|către|προς|"
    "destinataire|empfänger|destinatario|za|đến|kepada",
    "subject": "objet|sujet|subject|betreff|asunto|oggetto|onderwerp|assunto|temat|předmět|predmet|emne|ämne|aihe|тема|主题|主旨|件名|"
    "제목|konu|tárgy|subiect|θέμα|tiêu đề|chủ đề|subjek|titre",
    "copy": "cc|cci|copie|copie à|copies|kopie|kopie (cc)|bcc|bk|copia|cópia|kopia|kopi|kopio|копия|копія|抄送|副本|参照|참조|bilgi|másolat",
    "other": "reply-to|reply to|répondre à|antwort an|importance|priorité|priority|wichtigkeit|importancia|prioridad|pièces jointes|"
    "attachments|anlagen|adjuntos|allegati|organisation|envoyé par|resent-from|message-id|list-id",
}
_LABEL = {fold(label): kind for kind, labels in _LABELS.items() for label in labels.split("|")}
_INLINE_LABEL = re.compile(r"(?<![^\W\d])([^\W\d]{1,12}(?: [^\W\d]{1,4})?) ?[:：]")
_BLOCK_LINES = 24  # a header block with long lists of addresses
_DIGIT = re.compile(r"\d")
_CLOCK = re.compile(r"(?<!\d)\d{1,2} ?[:.h] ?\d{2}(?!\d)")

_MESSAGE = re.compile(
    r"\b(?:messages?|e-?mails?|mails?|courriels?|nachricht|mensajes?|correo|messaggi[oi]?|berichte?n?|mensagem|wiadomosc|wiadomosci|"
    r"meddelelse|melding|meddelande|viesti|сообщение|письмо|повідомлення|съобщение|zprava|sprava|uzenet|mesaj|ileti|μηνυμα|poruka|"
    r"sporocilo|mesajul|tin nhan|pesan)\b|邮件|郵件|メッセージ|메시지|消息"
)
_ORIGINAL = re.compile(
    r"\b(?:d'?origin|origin|initial|ursprung|opprinn|oprind|alkuper|pierwotn|oryginal|puvodn|povodn|исходн|оригинал|первонач|вихідн|"
    r"оригінал|eredeti|orijinal|αρχικ|izvorn|reply|antwort|svar|repons|respuesta|risposta|resposta|odpowied|odpoved|precedent|"
    r"previous|earlier|oorspronk|doc goc|goc\b|asli)|原始|原邮件|元の|원본"
)
# Outlook's appointments and Notes name no message: « -----Rendez-vous d'origine----- ».
_OTHER_ORIGINAL = re.compile(
    r"\b(?:rendez-vous|reunion|reponse|demande) (?:d'origine|originale?)\b|\boriginal (?:appointment|meeting|reply)\b|"
    r"\bursprunglicher termin\b|\b(?:cita|reunion) original\b|\bappuntamento originale\b|\boorspronkelijke afspraak\b"
)
_FORWARD = re.compile(
    r"\b(?:forward|fwd|transfer|transmis|reexpedi|weitergeleit|reenviad|inoltrat|doorgest|encaminhad|reencaminhad|przekazan|przes[lł]|"
    r"videresend|vidarebef|valitet|edelleen|пересла|пересыл|перенапр|переадрес|preposl|preposiel|tovabbit|iletil|redirig|redirection|"
    r"prosljed|proslijed|posredovan|chuyen tiep|diterusk)|转发|轉寄|轉發|転送|전달"
)
_RULED = re.compile(r"[-_=*~+#> ]{2,}")
_RULE = re.compile(r"[-_=*~#—–]{2,}[-_=*~#—– ]*$")
_ANSWER_ABOVE = re.compile(
    r"\b(?:reply|write|type|respond|answer)\b.{0,40}\babove\b|\b(?:repond|ecri|saisi|tape)\w*\b.{0,40}\bau[- ]?dessus\b|"
    r"\b(?:antwort|schreib)\w*\b.{0,40}\b(?:oberhalb|uber)\b|\b(?:respond|escrib|escrev|contest)\w*\b.{0,40}\b(?:encima|arriba|acima)\b|"
    r"\b(?:rispond|scriv)\w*\b.{0,40}\bsopra\b|\b(?:antwoord|typ|schrijf|reageer)\w*\b.{0,40}\bboven\b"
)
# Lotus Notes puts the name on one line, the day below it, and labels without colons under a blank line.
_NOTES_DATE = re.compile(r"\d{1,4}[/.-]\d{1,2}[/.-]\d{2,4} \d{1,2}[:.]\d\d(?: [ap]m)?")
_NOTES_LINES = 14
# Novell GroupWise: ">>> Nadia Benali <nadia@ville.example> 03/03/2026 10:00 >>>"
_GROUPWISE = re.compile(r">>>.{5,200}\d.{0,60}>>>$")


def at(lines: Lines, index: int) -> Heading | None:
    """The heading that begins at this line, with the header lines that belong to it."""
    plain = lines.plain[index]
    if end := _notes_end(lines, index):
        return Heading(Carries.MAIL, end)
    if _is_prose(plain):
        return None
    if len(plain) <= 160:
        if carries := _separator(plain):
            return Heading(carries, _behind_block(lines, index + 1))
        if is_groupwise(plain):
            return Heading(Carries.HISTORY, index + 1)
    end = _block_end(lines, index)
    return Heading(Carries.MAIL, end) if end else None


def is_groupwise(plain: str) -> bool:
    """Say whether a line that looks quoted is GroupWise's heading."""
    return plain.startswith(">>>") and plain.endswith(">>>") and _GROUPWISE.match(plain) is not None


def is_rule(plain: str) -> bool:
    """Say whether a line is only drawn."""
    return plain[:1] in "-_=*~#" and _RULE.match(plain) is not None and len(plain) >= 3


def _is_prose(plain: str) -> bool:
    """Say at little cost that a line is neither ruled nor labelled, as most lines of a mail are not."""
    return plain[:1].isalnum() and plain[-1:] not in "-_*" and ":" not in plain and "：" not in plain


def _separator(plain: str) -> Carries | None:
    """What a line of its own announces by its words, None when it announces nothing."""
    ruled = _RULED.match(plain) is not None or plain.endswith(("---", "___", "***"))
    if not ruled and not plain.endswith((":", "：")):
        return None
    if ruled and _ANSWER_ABOVE.search(plain):
        return Carries.ALL_BELOW
    words = plain.strip("-_=*~+#> \t:：")
    if not words or words.count(" ") > 6:
        return None
    if not _MESSAGE.search(words):
        return Carries.HISTORY if ruled and _OTHER_ORIGINAL.search(words) else None
    if _FORWARD.search(words):
        return Carries.FORWARD
    return Carries.HISTORY if ruled and _ORIGINAL.search(words) else None


def _notes_end(lines: Lines, index: int) -> int | None:
    """Behind the header lines of Notes that begin with the name on this line."""
    below = lines.plain[index + 1] if index + 1 < len(lines) else ""
    if not below[:1].isdigit() or len(below) > 22 or not _NOTES_DATE.fullmatch(below):  # most lines of a mail
        return None
    found: set[str | None] = set()
    for at_line in range(index + 2, min(index + 2 + _NOTES_LINES, len(lines))):
        kind = _LABEL.get(lines.plain[at_line])
        if kind == "subject" and "to" in found:
            return min(at_line + 2, len(lines))
        found.add(kind)
    return None


def _behind_block(lines: Lines, index: int) -> int:
    """Behind the header lines below a separator; the separator's own end when there are none."""
    below = lines.next_filled(index)
    if (
        below < len(lines)
        and below - index <= 2
        and not lines.quoted[below]
        and (end := _block_end(lines, below, least=2))
    ):
        return end
    return index


def _block_end(lines: Lines, index: int, *, least: int = 3) -> int | None:
    """Behind the block of header lines that begins here; None when what begins here is none.

    Three kinds of lines make a block, with an address somewhere or a day on which it was sent, for people too
    write « De : Rennes, à : Nantes, date : 3 mars ». Two are enough when one of them shows an address.
    """
    kind = _label(lines.plain[index])
    if kind in {None, "other", "copy"}:
        return None
    kinds = {kind}
    evident = False
    end = index
    missed = 0
    for at_line in range(index, min(index + _BLOCK_LINES, len(lines))):
        plain = lines.plain[at_line]
        found = _label(plain)
        if found in {"from", "subject"} and found in kinds and at_line > index:
            break  # of another message
        if found:
            kinds |= {found, *_inline(plain)}
            dated = (
                _DIGIT.search(plain) if found == "sent" else _CLOCK.search(plain) if found == "date" else None
            )
            evident = evident or "@" in plain or (kind == "from" and dated is not None)
            end, missed = at_line + 1, 0
            continue
        missed += 1
        evident = evident or (bool(plain) and missed == 1 and "@" in plain)
        # A blank line may stand between header lines, and a list of addresses may go on for some.
        if missed > (2 if not plain or lines.quoted[at_line] else 4):
            break
    told = {"date" if told == "sent" else told for told in kinds} - {"other", "copy"}
    if "from" in told and len(told) >= least:
        return end if evident or least < 3 else None
    if "date" in told and len(told) == 2 and kind in {"from", "date", "sent"} and told & {"from", "to"}:
        return end if any("@" in lines.plain[line] for line in range(index, end)) else None
    return None


def _label(plain: str) -> str | None:
    """Which header line this is."""
    head, colon, _ = plain[:48].replace("：", ":").partition(":")
    return _LABEL.get(head.strip(" *_>\t-|")) if colon else None


def _inline(plain: str) -> set[str]:
    """Header lines that were joined with others on their way."""
    return {_LABEL[label] for label in _INLINE_LABEL.findall(plain) if label in _LABEL}
