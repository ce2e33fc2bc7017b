"""Leaving in the languages of our neighbours: German, Spanish, Italian, Dutch, Portuguese.

We know few words of them, so a wish is one only when it holds no other word: then no denial, condition or third
person can hide in it. A question, and whatever else speaks of leaving, is a person's to read. Takes folded text.
"""

import re


def leave(said: str) -> str | None:
    """The plain wish to leave that a text is, None when it is anything else."""
    if "?" in said or not speaks_of_leaving(said):
        return None
    wish = " ".join(_CLOSING.sub("", said).split())
    short = len(wish.split()) <= LONGEST_WISH
    return wish if short and any(plain.fullmatch(wish) for plain in _PLAIN) else None


def speaks_of_leaving(said: str) -> bool:
    """Say whether a text speaks of leaving in one of these languages, whatever it says of it."""
    return any(stem in said for stem in _STEMS) and _SPEAKS.search(said) is not None


LONGEST_WISH = 40  # words

# Nearly every text lacks all of these letters, and looking for them is cheap.
_STEMS = (
    "meld", "bestell", "austrag", "verteiler", "de baja", "desuscri", "suscripcion", "cancell", "rimuov", "toglie",
    "disiscri", "uitschri", "schrijf", "afmeld", "subscri", "desinscrev", "descadastr", "assinatura", "non voglio", "non desidero",
    "keine", "geen", "nao quero", "nao desejo", "no quiero", "no deseo", "no me", "opzeggen", "streich", "losch", "verwijder",
    "borr", "quiten", "elimin", "retir", "remov",
)  # fmt: skip
_SPEAKS = re.compile(
    r"\babmeld\w*|\b(?:meld(?:en|et|e)|trag(?:en|t)?|nehm(?:en|t)|nimm|bestellen?) .{0,60}\b(?:ab|aus)\b|\babbestell\w*|\baustrag\w*|\baus (?:dem|ihrem|eurem) \w*verteiler"
    r"|\b(?:streich|losch|entfern)\w* .{0,40}\b(?:liste|verteiler|newsletter)|\bkeine? .{0,40}\b(?:newsletter|rundbriefe?|e-?mails|mails)\b"
    r"|\b(?:dar|den|dad|darse|darme|dad?me|denme|deme|quiero la|solicito la) (?:de )?baja\b|\bde baja (?:de|mi|en) (?:la|su|vuestra|el|este|esta)?"
    r"|\bdesuscri\w+|\bcancelar (?:la|mi|esta) suscripcion|\bno (?:quiero|deseo|me|nos) .{0,30}\bmas\b|\bno (?:me|nos) (?:retir|borr|elimin|quit)\w+|\b(?:borr|quiten|elimin|retir)\w* .{0,40}\b(?:lista|boletin)\b"
    r"|\bdisiscri\w+|\bcancell\w*(?:mi|ci)\b|\bmi cancell\w+|\brimuov\w+|\btogli(?:ete|er)?(?:mi|ci)\b|\bnon (?:voglio|desidero|vorrei) .{0,20}\bricevere\b"
    r"|\buitschri\w+|\bschrijf .{0,50}\buit\b|\bafmeld\w*|\bmeld .{0,50}\baf\b|\bopzeggen\b|\bverwijder\w* .{0,40}\b(?:lijst|bestand|nieuwsbrief)\b"
    r"|\bgeen .{0,40}\b(?:nieuwsbrie\w+|mails?|e-?mails?)\b|\bdessubscr\w+|\bdesinscrev\w+|\bdescadastr\w+"
    r"|\bcancel\w* (?:a )?(?:minha )?(?:subscricao|assinatura)|\bnao (?:quero|desejo) .{0,20}\breceber\b|\b(?:retir|remov)\w+-me\b|\b(?:retirar|remover) .{0,40}\blista\b"
)
# Below it stand a name, a function, a place; nothing is said there any more.
_CLOSING = re.compile(
    r"(?<=[\n.!,]) ?(?:mit (?:freundlichen|besten) grussen|(?:freundliche|viele|beste|liebe) grusse|mfg|(?:un (?:cordial )?)?saludos?(?: cordiales)?|atentamente|"
    r"(?:cordiali|distinti) saluti|saluti|met vriendelijke groet(?:en)?|vriendelijke groet(?:en)?|groet(?:en|jes)?|mvg|"
    r"(?:com os )?(?:melhores )?cumprimentos|atenciosamente)\b"
    r"(?!.*\b(?:p\.? ?s|nicht|noch|no|non|niet|nao|aber|pero|ma|maar|mas)\b)[ ,.!]*(?:\n+[^\n.?!:]{0,60}){0,5}\s*\Z",
    re.DOTALL,
)


def _plain(acts: tuple[str, ...], around: str) -> re.Pattern[str]:
    """A wish of these acts and no other word but those around; "_" in an act stands for any number of them."""
    word = rf"(?:{'|'.join(sorted(around.split(), key=len, reverse=True))})\b"
    act = "|".join(acts).replace(" _ ", rf"(?:\W+{word})*?\W+")
    return re.compile(rf"\W*(?:\b{word}\W+)*?\b(?:{act})\b(?:\W+{word})*\W*")


_GERMAN = _plain(
    (
        r"(?:melden|melde|meldet|tragen|tragt|trag|nehmen|nehmt|nimm) _ (?:mich|uns) _ (?:ab(?! sofort)|aus|heraus)",
        r"(?:nehmen|nehmt|nimm|streichen|streicht|loschen|loscht|entfernen|entfernt) _ (?:mich|uns|meinen?|unsere) _ (?:aus|von|vom) _ (?:verteiler|mailverteiler|mailingliste|liste|newsletter|verteilerliste)",
        r"(?:mich|uns|newsletter|rundbrief|abo|abonnement) _ (?:abmelden|austragen|abbestellen|kundigen)|bestellen? _ (?:newsletter|rundbrief) _ ab",
        r"(?:bitte )?(?:abmelden|abmeldung)|abmeldung _ (?:newsletter|rundbrief|verteiler|liste|mailingliste)",
        r"(?:mochten?|will|wollen|wunsche) _ keine _ (?:newsletter|rundbriefe?|e-?mails|mails) _ mehr(?: (?:erhalten|bekommen))?",
        r"(?:bitte|senden sie|schicken sie) _ keine _ (?:newsletter|rundbriefe?|e-?mails|mails) _ mehr(?: (?:senden|schicken|zusenden))?",
    ),
    """
    bitte danke vielen dank besten im voraus sie mich uns mir ich wir mochten? will wollen wunsche hiermit von vom aus dem der den des die
    das ihrem ihren ihrer ihr eurem eurer euren meine meinen mein meiner unsere unser e-?mail-?adresse mailadresse e-?mails? mails? adresse
    newsletters? rundbriefe? verteiler mailverteiler verteilerliste mailingliste liste abo abonnement ab sofort umgehend weiteren weitere
    hallo guten tag sehr geehrte damen und herren gerne revue lettre
    """,
)
_SPANISH = _plain(
    (
        r"(?:darme|darnos|denme|dennos|deme|dadme|dame) de baja|(?:me|nos) (?:den|de|dad) de baja|(?:solicito|quiero|deseo) _ baja",
        r"(?:dar|den|dad|de) de baja _ (?:mi|nuestra|nuestro) _ (?:suscripcion|direccion|correo|e-?mail)",
        r"(?:desuscribirme|desuscribanme|desuscribidme|desuscribirnos)",
        r"(?:cancelar|cancelen|cancelad|anular|anulen) (?:la|mi|esta|nuestra) suscripcion",
        r"(?:borrenme|borradme|eliminenme|eliminadme|quitenme|quitadme) _ (?:lista|boletin)",
        r"(?:borren|borrad|eliminen|eliminad|quiten|quitad) _ (?:mi|nuestra|nuestro) _ (?:lista|boletin)",
        r"no (?:quiero|deseo|queremos|deseamos) recibir mas _ (?:correos|boletin|boletines|mensajes|e-?mails|newsletters?)",
        r"no (?:me|nos) (?:envien|manden|envieis|mandeis) mas _ (?:correos|boletin|boletines|mensajes|e-?mails|newsletters?)",
    ),
    """
    por favor gracias muchas de antemano me nos yo quiero queremos quisiera quisieramos deseo deseamos desearia solicito solicitamos ruego
    la el los las un una su sus vuestra vuestro esta este mi nuestra nuestro del al en que lista boletin boletines newsletters? correos?
    electronicos? correo suscripcion distribucion direccion nombre e-?mails? mail inmediatamente hola buenos buenas dias tardes estimados
    estimadas senores y revue lettre
    """,
)
_ITALIAN = _plain(
    (
        r"(?:cancellatemi|cancellateci|cancellami|cancellarmi|cancellarci|rimuovetemi|rimuoveteci|rimuovimi|rimuovermi|rimuoverci|toglietemi|toglieteci|toglimi|togliermi|toglierci|disiscrivetemi|disiscriveteci|disiscrivimi|disiscrivermi|disiscriverci)",
        r"mi (?:cancelli|cancelliate|disiscriva|disiscriviate|rimuova|rimuoviate|tolga|togliate)",
        r"(?:cancellare|cancellate|rimuovere|rimuovete|eliminare|eliminate|togliere|togliete) _ (?:mio|mia|nostro|nostra) _ (?:lista|newsletter|elenco)",
        r"non (?:voglio|desidero|vorrei|vogliamo|desideriamo) piu ricevere _ (?:newsletter|mail|e-?mail|messaggi|comunicazioni)",
        r"(?:disdire|annullare|annullate|disdico) (?:la|il mio|la mia) (?:newsletter|abbonamento)",
    ),
    """
    per favore cortesia piacere grazie mille in anticipo vi la prego preghiamo mi ci vorrei voglio desidero chiedo di essere dalla dalle dal
    della delle del dei dall' all' alla le il lo i gli l' un una vostra vostre vostri vostro sua questa queste lista liste newsletter mailing list
    elenco indirizzo mail e-?mail posta elettronica mio mia nostro nostra nome iscrizione abbonamento invio distribuzione diffusione subito
    immediatamente e da buongiorno buonasera salve gentili signori revue lettre
    """,
)
_DUTCH = _plain(
    (
        r"(?:uitschrijven|afmelden)|(?:uitschrijving|afmelding) _ (?:nieuwsbrief|lijst|mailinglijst|mailing)",
        r"(?:schrijf|schrijft) _ (?:me|mij|ons) _ uit|(?:meld|meldt) _ (?:me|mij|ons) _ af",
        r"(?:verwijder|verwijderen|haal|schrap) _ (?:me|mij|ons|mijn|onze) _ (?:lijst|mailinglijst|verzendlijst|nieuwsbrief|bestand)",
        r"(?:abonnement|nieuwsbrief) _ (?:opzeggen|stopzetten)",
        r"(?:wil|willen|wens|wensen) _ geen _ (?:nieuwsbrief|nieuwsbrieven|mails?|e-?mails?) _ meer(?: (?:ontvangen|krijgen))?",
        r"(?:graag|stuur|aub|alstublieft) _ geen _ (?:nieuwsbrief|nieuwsbrieven|mails?|e-?mails?) _ meer(?: sturen)?",
    ),
    """
    graag alstublieft aub svp dank u bedankt alvast wil willen wens wensen zou ik wij we me mij ons het de een van voor uit uw jullie deze die mijn
    onze nieuwsbrief nieuwsbrieven mailinglijst mailing verzendlijst lijst bestand abonnement e-?mailadres mailadres adres e-?mails? mails? naam
    direct onmiddellijk hallo beste goedemorgen goedemiddag goedendag geachte heer mevrouw revue lettre
    """,
)
_PORTUGUESE = _plain(
    (
        r"(?:cancelar|cancelem|cancele|anular|anulem|cancelamento) (?:da |a )?(?:minha |nossa |esta )?(?:subscricao|assinatura)",
        r"(?:removam|remova|remover|retirem|retire|retirar|excluam|exclua|excluir|eliminem|eliminar|tirem|tirar)-(?:me|nos) _ (?:lista|newsletter|mailing)",
        r"me (?:removam|remova|retirem|retire|excluam|exclua|tirem) _ (?:lista|newsletter|mailing)",
        r"(?:removam|remover|retirem|retirar|excluam|excluir|eliminem|eliminar) _ (?:meu|minha|nosso) _ (?:lista|newsletter|mailing)",
        r"(?:dessubscrever|desinscrever|descadastrar|descadastrem|desinscrevam|dessubscrevam)-(?:me|nos)|me (?:descadastrar|descadastrem|desinscrever)",
        r"nao (?:quero|desejo|pretendo|queremos|desejamos) (?:receber mais|mais receber) _ (?:e-?mails|mails|newsletters?|mensagens|boletins?)",
    ),
    """
    por favor obrigado obrigada desde ja muito quero queria gostaria desejo pretendo solicito peco eu queremos gostariamos de da das do dos a o as os
    um uma me nos vossa vosso vossas sua suas seu seus esta este minha meu nossa nosso lista newsletters? mailing boletim boletins subscricao assinatura
    distribuicao envio e-?mails? mails? endereco correio eletronico nome imediatamente que ola bom boa dia tarde caros caras prezados senhores e revue
    lettre
    """,
)
_PLAIN = (_GERMAN, _SPANISH, _ITALIAN, _DUTCH, _PORTUGUESE)
