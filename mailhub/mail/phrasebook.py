"""What people write when they want to leave, join, pause, move or switch between paper and email.

Patterns over `french.fold`ed text, one part of a sentence at a time; English where readers use it. A pattern
here is evidence, never a verdict: `wishes` weighs what it finds against denials, doubts and third persons.
"""

import re
from collections.abc import Callable

from mailhub.mail import french


def any_of(*spellings: str) -> Callable[[str], re.Match[str] | None]:
    """A search for any of several spellings."""
    return re.compile("|".join(rf"(?:{spelling})" for spelling in spellings)).search


_TO_ME = r"(?:m'|me |nous |me l'|me la |me les |nous l'|nous la |nous les |l'|la |les )"
MAIL = r"(?:e-?mails?|mails?|mels?|courriels?|messages?|envois?|publications?|newsletters?|news|lettres?|revues?|communications?|spams?|pubs?|diffusions?|infos?|courriers?|abonnements?|invitations?)"
LISTS = r"(?:listes?|newsletters?|mailings?|diffusions?|lettres?|revues?|infolettres?|bulletins?|publications?|abonnes?|abonnements?|destinataires?|fichiers?|envois?)"
_OUT = r"(?:de[sz]ab+on+\w*|des+ins?cri\w*|retir\w+|enlev\w+|sup+rim\w+|ray(?:er|ez|e)\b|effac\w+|sort(?:ir|ez|iez)\b(?! (?:la|le|les|un|une|l')\b)|ot(?:er|ez)\b|radi(?:er|ez|iez)\b|exclu\w+|vir(?:er|ez)\b)"
OUT_STEM = r"(?:de[sz]ab+on+\w*|des+ins?cri\w*|unsu[bs]+cri\w*)"
# Words that may follow a bare "désabonnement" without naming anybody.
_ONLY_LISTS = rf"(?:[ ,](?:svp|merci|de|du|des|a|la|le|les|l'|votre|vos|cette|ma|mon|mensuelle|presse|d'information|immediate?|immediatement|par|avance|d'avance|please|from|this|your|the|list|me|moi|pour|ici|{LISTS}|{MAIL}))*"
_MINE = r"(?:mon|mes|ma|notre|nos|cette|l')\s?"
_ADDRESS = (
    r"(?:nom|adresses?|e-?mails?|mails?|mels?|courriels?|coordonnees|contacts?|inscription|abonnements?)"
)

# They name the act: a denial before it turns it round.
leave_by_verb = any_of(
    rf"\b(?:me |m'|nous )(?:en |y )?{_OUT}",
    r"\b(?:de[sz]ab+on+ez|desins?crivez|desins?crire|de[sz]ab+on+er|retirez|enlevez|sup+rimez|rayez|effacez|otez|sortez|radiez|virez|excluez)[- ]?(?:moi|nous)\b",
    r"\b(?:etre|d'etre) (?:de[sz]ab+on+e|des+ins?cri|retire|enleve|sup+rime|raye|radie|ote)\w*",
    rf"\b{_OUT} (?:s'il vous plait |svp )?{_MINE}{_ADDRESS}\b",
    rf"\b{_MINE}{_ADDRESS} (?:\w+ )?(?:est |sont )?(?:a|soit|soient) (?:etre )?(?:retire|enleve|sup+rim|raye|efface)",
    rf"\b(?:mon|ma|notre) {OUT_STEM}",
    rf"^(?:(?:demande|souhaite|merci|svp|pour|veuillez|de|d'|un|le|la|please|bonjour|procedez|a|faites|je|voudrais|veux) ?){{0,4}}{OUT_STEM}{_ONLY_LISTS}$",
    r"\b(?:resili|annul|arret|interromp|stopp|cess|termin|cloture)\w* (?:mon|mes|notre|nos) abonnements?",
    r"\bme(?:ts|t|tre|ttez|ttons) (?:fin|un terme) a (?:mon|notre|mes|l')\s?abonnement",
    r"^a (?:retirer|supprimer|enlever|rayer|desabonner|desinscrire)\b|\bje (?:resilie|me retire)\b",
    r"\bremove (?:me|us|my (?:name|address|e-?mail))|take (?:me|us|my \w+) off|\bopt(?:ing)?[- ](?:me )?out\b|cancel my subscription",
    r"\bunsu[bs]+cribe (?:me|us|my)|^(?:please )?unsu[bs]+cribe\b",
    r"\bdroit d'opposition|\b(?:m'|nous )oppos\w+ a (?:tout envoi|l'envoi|recevoir|la reception|ce que vous m)",
)

# They refuse what comes: the denial is the wish.
leave_by_refusal = any_of(
    r"\b(?:plus|pas) (?:souhaiter |vouloir )?(?:en |la |les |le )?(?:recevoir|etre (?:destinataire|abonne|inscrit|sur|dans|parmi|contacte|sollicite)|faire partie|figurer|apparaitre)",
    r"\b(?:veux|veut|voulons|souhait\w+|desir\w+) (?:plus|pas) (?:vos |votre |la |les |cette |ces )|\b(?:ne |n')(?:veux|veut|voulons|souhait\w+|desir\w+) (?:plus|pas) (?:de |d')",
    rf"\bplus {_TO_ME}?{_TO_ME}(?:envoyer|adresser|faire parvenir|transmettre|expedier|ecrire|contacter|solliciter|inclure|compter|mettre)\b",
    rf"\b(?:ne |n')?{_TO_ME}(?:envoyez|adressez|ecrivez|contactez|expediez|transmettez|envoyer|ecrire|envoie\w*) (?:donc |surtout )?plus\b",
    r"\bn'envoyez plus\b",
    r"\b(?:arret\w*|cess\w*|stopp?\w*) (?:svp )?(?:de |d')(?:\w+ )?(?:m'|me |nous )(?:envoyer|adresser|ecrire|spam\w+|inonder|harceler|solliciter|contacter)",
    rf"(?:^|\b(?:merci|veuillez|pouvez|pourriez|svp|souhaite\w*|voudrais|veux|voulons|aimerais|de|d'|alors|priere) (?:bien vouloir |d'|de |vous )*)(?:arret|cess|stopp?|interromp)(?:ez|er|e)? (?:immediatement |svp |aussi )?(?:vos |tous |toutes |les |la |le |ces |cette |votre |tout )(?:\w+ ){{0,2}}?{MAIL}\b",
    r"\b(?:arret|cess|stopp)(?:ez|er) tout\b|\b(?:arret|cess|stopp?|interromp)(?:ez|er|e|ons)? l'envoi\b",
    rf"^(?:(?:merci|svp|alors|donc) )*plus (?:de |d'){MAIL}\b",
    r"^(?:(?:merci|svp|alors|donc|et|mais|non) )*plus (?:la |le |les |votre |cette )(?:lettre|revue|newsletter|infolettre|bulletin)s?\b",
    rf"\bplus (?:absolument )?rien (?:du tout|recevoir|m'|nous |de (?:vous|votre)|concernant)|^(?:\w+ )?plus rien(?: du tout)?(?: svp| merci)?$|\bplus aucune? {MAIL}",
    r"\binutile de (?:continuer a |me |m'|nous )(?:m'|me |nous )?(?:envoyer|adresser|ecrire)",
    r"\binutile de (?:me |nous )(?:l'|la |le |les )(?:envoyer|adresser) (?:desormais|dorenavant|a l'avenir|a present)\b",
    rf"^(?:(?:merci|svp|bon|donc|alors) )*(?:on|nous) (?:arret|stopp|cess)(?:e|ons) (?:svp )?(?:vos |les |la |le |ces |cette |votre |l'){MAIL}(?: (?:svp|merci|de presse|mensuelle|d'information|pour (?:moi|nous)|definitivement|desormais))*$",
    rf"^(?:(?:merci|svp) )*stop(?: (?:svp|merci|a|aux?|la|les|tous|toutes|vos|cette|votre|ces|de|please|d'|l'))*(?: ?{MAIL}| papier)*(?: (?:svp|merci|please|de presse|mensuelle|d'information))*$",
    r"\barret (?:du |de la |de l'|des )?(?:papier|abonnement|envois?|newsletter|lettre|revue|mails?|reception)",
    r"\b(?:no longer|don't|do not) (?:wish|want) (?:to )?(?:receive|get|be)|\bstop (?:sending|e-?mailing|writing)|(?:don't|do not) (?:send|write|e-?mail) (?:me|us)",
    r"\bpas reconduire mon abonnement|\becrivez plus jamais\b",
)


def leave(part: str) -> re.Match[str] | None:
    """What in a part asks to leave, whichever way it is said."""
    return refuses(part) or asks_out(part)


def asks_out(part: str) -> re.Match[str] | None:
    """The act of leaving, named, and of a list: "me retirer une épine du pied" is of something else."""
    return _of_lists(part, leave_by_verb(part))


def refuses(part: str) -> re.Match[str] | None:
    """A refusal of what we send: "ne plus recevoir de subvention" is of something else."""
    return _of_lists(part, leave_by_refusal(part))


_BARE_REST = re.compile(
    r"(?:\W|\b(?:svp|merci|s'il vous plait|d'avance|par avance|de|du|des|d|l|a|la|le|les|votre|vos|cette|ce|ces|genre|mon|ma|notre|moi|nous|moi-meme|"
    r"rapidement|immediatement|definitivement|desormais|donc|aussi|egalement|please|thanks|pour|faire|le faire|bien|jamais|cordialement|envoye|iphone)\b)*"
)
_OF_LISTS = re.compile(
    rf"\b(?:{LISTS}|{MAIL}|rien|aucun\w*|part|adresses?|boite|nom|bases?|coordonnees|contacts?|papier|presse|listing|jusqu|list|lists|your|this|them|it|you)\b|@"
)


def _of_lists(part: str, found: re.Match[str] | None) -> re.Match[str] | None:
    """Keep a match only when a list, a mail or nothing at all is its object."""
    if found is None:
        return None
    rest = part[found.end() :]
    object_is_ours = _BARE_REST.fullmatch(rest) or _OF_LISTS.search(rest) or _OF_LISTS.search(found[0])
    return found if object_is_ours or re.search(OUT_STEM, found[0]) else None


everything = any_of(
    r"\bplus (?:absolument )?rien\b|\brien du tout\b",
    rf"\b(?:plus|pas) (?:recevoir |m'envoyer |m'adresser |nous envoyer )?aucune? (?:autre )?{MAIL}",
    rf"\baucune? {MAIL}",
    rf"\b(?:toutes?|tous) (?:vos|les|ces|types? d') ?(?:\w+ )?(?:{LISTS}|{MAIL}|bases?)",
    r"\b(?:l'ensemble|la totalite|l'integralite) (?:de |des )(?:vos )?\w+|\bde tout\b|\bde partout\b|\btout envoi\b|\barretez tout\b",
    r"\bplus jamais\b|\ball (?:your |of your )?(?:lists|mailings|newsletters|e-?mails)|\bfrom everything\b|\banything\b",
)

# They say why they might leave, not that they want to.
maybe_leave = any_of(
    r"\bne? ?(?:suis|sommes|serai|serons|est) (?:plus|pas) (?:du tout |vraiment |trop |directement )?(?:concern|interess|la bonne personne)",
    r"\bne? ?(?:me|nous|m'|nous) ?(?:concerne(?:nt)?|interesse(?:nt)?|sert|servent|regarde(?:nt)?) (?:plus|pas|guere)",
    r"\bne? ?(?:m'|nous )(?:est|sont) (?:plus|pas) (?:tres |vraiment )?(?:utiles?|necessaires?)",
    r"\bne? ?(?:travaille|m'occupe|suis charge|exerce|intervien\w*) (?:plus|pas) (?:de |d'|sur |dans (?:le domaine|ce|le secteur)|du |avec )",
    r"\bne? ?correspond(?:ent)? (?:plus|pas)\b|\bn'(?:ai|avons) (?:plus|pas) (?:besoin|l'utilite) (?:de |d')(?:vos|votre|cette|la|ces|les) \w*(?:lettre|revue|mail|envoi|publication|newsletter|courriel)|\bplus interess|\bpas interess",
)

stay = any_of(
    r"\b(?:gard|conserv|continu|maintien|maintenez|laiss)\w*\b|\breste\w* (?:\w+ )?(?:abonne|inscrit|sur|dans)|\blis toujours\b",
    rf"\b{LISTS}(?: de presse)?,? (?:oui|ok)\b|\b(?:oui|ok) (?:a|pour) (?:la |les |votre |vos )?{LISTS}\b",
)
# All they receive, without a word against being written to.
every_one = any_of(
    r"\b(?:des|aux|les|pour les) (?:deux|2)\b(?! (?:prochain\w*|mois|semaines|jours|ans|annees))",
    r"\b(?:tous|toutes) (?:mes|nos) (?:abonnements|inscriptions|listes|publications)",
)


def proves_consent(written: str) -> bool:
    """Say whether words noted beside a name may prove a yes (D46): a bare "oui" proves none, and "non" is none."""
    said = french.words(french.fold(written))
    return len(said) > 1 and said[0] not in _NO_CONSENT


_NO_CONSENT = frozenset(["non", "no", "pas", "refus", "refuse", "aucun", "sans", "faux", "ne", "n'"])


_PUBLICATION = r"(?:lettres?|newsletters?|news letter|infolettres?|bulletins?|revues?(?: de presse)?|listes?(?: de diffusion)?|mailing[- ]list|publications?)"
_ABOUT = rf"(?:(?:a|de|d'|sur|dans|pour) )?(?:la |votre |vos |cette |le |les |l'|une? )?(?:\w+ ){{0,2}}?{_PUBLICATION}"
_WANT = r"(?:souhait\w*|voudr\w+|voulons|veux|aimer\w*|desir\w*|interess\w*|possible|ok pour|puis-je|peut-on|pouvoir|merci de|heureuse?|ravie?|volontiers|demande\w*|want|like)"
_NOT_ORDER = r"(?!.*\b(?:article|document|fiche|numero|exemplaire|n°|dossier|compte[- ]rendu|copie))"
join = any_of(
    r"\b(?:m'|me |nous )(?:y )?(?:re-?)?abonn(?:er|e|ez)\b",
    rf"\b(?:m'|me |nous )(?:y )?(?:re-?)?(?:inscrire|inscris|inscrive|ajouter|ajoutiez|rajouter|mettre|compter|integrer|inclure) {_ABOUT}",
    r"\b(?:m'|nous )(?:ajouter|inscrire|rajouter)\b\s*(?:svp|s'il vous plait|merci)?\s*[?.!]*$",
    r"\b(?:re-?)?abonnez[- ]?(?:moi|nous)",
    rf"\b(?:inscrivez|ajoutez|rajoutez|mettez|incluez)[- ]?(?:moi|nous) (?:svp )?{_ABOUT}",
    rf"\b{_WANT}\b.{{0,50}}\brecevoir (?:regulierement |chaque mois |tous les mois |aussi |egalement |desormais |par (?:mail|courriel|e-?mail) )?(?:la |votre |vos |cette |les |your )?(?:\w+ ){{0,2}}?{_PUBLICATION}{_NOT_ORDER}",
    rf"\b{_WANT}\b.{{0,50}}\b(?:la|les) recevoir\b",
    rf"\b{_WANT}\b.{{0,50}}\b(?:y |m'y )?(?:etre|d'etre|devenir) (?:\w+ )?(?:destinataire|abonnee?|inscrite?|ajoutee?)\b{_NOT_ORDER}",
    rf"\b{_WANT}\b.{{0,50}}\bfaire partie (?:de |des )(?:\w+ )?(?:abonnes|destinataires|liste)",
    rf"\b(?:m'|nous )(?:envoyer|adresser|faire parvenir) (?:regulierement|chaque|tous les|desormais|systematiquement).*{_PUBLICATION}",
    rf"^(?:demande d'|nouvelle? )?(?:re-?)?(?:inscription|abonnement)s?(?: (?:a |pour )?(?:la |votre )?{_PUBLICATION}.*)?$",
    rf"^(?:re-?)?s'?(?:abonner|inscrire)(?: {_ABOUT})?$|^m'?\s?abonner\b",
    r"\b(?:sign (?:me|us) up|(?:please )?subscribe (?:me|us)|add (?:me|us) to|(?:like|want) to subscribe|^subscribe$)",
)

pause = any_of(
    r"^(?:\w+ )?(?:mise en )?pause\b(?:$| (?:svp|de |d'|\d|jusqu|pendant|pour|du |un|deux|trois|quatre|cinq|six|abonnement|until))",
    r"\ben pause\b|\bpause (?:my|our|mon|mes|de mon|dans mes|sur mon)\b",
    r"\bsuspen(?:d\w*|sion) (?:\w+ ){0,4}?(?:abonnements?|envois?|lettres?|revues?|reception|inscription|mails?|newsletters?|courriels?|moi|nous)",
    r"\b(?:interromp\w+|interruption) (?:\w+ ){0,3}?(?:abonnements?|envois?|lettres?|revues?|reception|newsletters?)",
)
until = any_of(
    r"\bjusqu'|\bavant\b|\buntil\b|\bd'ici\b|\bpendant\b|\bdurant\b|\bpour (?=\d|un|deux|trois|quatre|six)|\b(?:du|entre le) .{1,25} (?:au|et le)\b|\btill\b|\bfor\b|^pause\b"
)
restart = re.compile(
    r"\b(?:jusqu'(?:au?x? |a la |en |a )?|avant |until |till |d'ici |au |et le |reprendre |reprise )"
)

change_address = any_of(
    r"\bchang\w* (?:d'|mon |notre |d' |de |l'|mes )?\s?(?:adresse|mail|e-?mail|messagerie|coordonnees|courriel)",
    r"\b(?:nouvelles?|nouveaux?) (?:adresse|mail|e-?mail|courriel|coordonnees|mel|boite)\b(?! (?:de |du |des |d')(?!messagerie|mail|courriel|e-?mail))",
    r"\bvoici (?:le|la|mon|ma) (?:nouveau|nouvelle)\b|\bancien(?:ne)? (?:mail|e-?mail|adresse|courriel)\b",
    r"\b(?:mon|notre|mes|nos) (?:adresse|mail|e-?mail|courriel|coordonnees)\b.{0,30}\b(?:devien\w+|change\w*|est desormais|est maintenant|est dorenavant|a change|ont change|sera)\b",
    r"\bdemenag\w+",
    r"\b(?:modifi|rempla|actualis|corrig|rectifi)\w* (?:\w+ ){0,2}?(?:mon|notre|mes|nos) (?:\w+ )?(?:adresse|mail|e-?mail|courriel|coordonnees)",
    r"\b(?:mettre|mettez|mise) a jour (?:mon|mes|notre|nos) (?:adresse|coordonnees|mail)",
    r"\b(?:utiliser|utilisez|ecrire|m'ecrire|envoyer|envoyez)\b.{0,40}\b(?:desormais|dorenavant|maintenant)?\b.{0,20}\S+@\S+",
    r"\b(?:my|our) (?:new )?(?:e-?mail )?address (?:has changed|is now)|\b(?:my|our) new (?:e-?mail )?address",
)
an_address = any_of(
    r"\badresses?\b|\bboites?\b|@|\bancien(?:ne)?\b|\bcell?e-ci\b|\bcelui-ci\b|\bici\b|\b(?:e-?mail|mail|courriel)\b"
)
# Where the letter is spoken of, not the sender.
moved_topic = any_of(r"\b(?:combien|connaissez|quelle?s?|existe|savoir|etude|habitants)\b")

_PAPER = r"(?:papier|poste|courrier(?: papier| postal)?|postale?|voie postale|envoi postal|version imprimee)"
_EMAIL = r"(?:e-?mails?|mails?|mels?|courriels?|numerique|electronique|internet|version numerique|version electronique|dematerialise\w*|pdf)"
_RATHER = r"(?:plutot qu\w*'?|au lieu|a la place|et non|et pas|mais pas|pas|et plus|mais plus|non)"
to_email = any_of(
    rf"\b{_EMAIL}\b.{{0,30}}\b{_RATHER}\b.{{0,25}}\b{_PAPER}\b",
    rf"\b(?:arret\w*|stop\w*|plus|inutile|cess\w*|supprim\w+|economi\w+|eviter|remplac\w+)\b.{{0,40}}\b{_PAPER}\b.{{0,80}}\b{_EMAIL}\b",
    r"\b(?:pass\w+|bascul\w+|prefer\w+|adress(?:er|ez|iez)|recevoir|opt\w+)\b.{0,50}\b(?:numerique|electronique|dematerialise\w*|pdf)\b",
    rf"\b(?:seulement|uniquement)\b.{{0,20}}\bpar {_EMAIL}\b",
    rf"\b(?:recevoir|envoyer|envoyez|lettre|prefer\w+|desormais)\b.{{0,40}}\bplutot (?:par |en )?{_EMAIL}\b",
)
to_paper = any_of(
    rf"\b{_PAPER}\b.{{0,30}}\b{_RATHER}\b.{{0,25}}\b{_EMAIL}\b",
    rf"\b(?:arret\w*|stop\w*|plus (?:de|d')|inutile|cess\w*)\b.{{0,20}}\b{_EMAIL}\b.{{0,40}}\b{_PAPER}\b",
    rf"\b(?:prefer\w+|repass\w+|pass\w+|revenir|envoyer|envoyez|adress\w+|recevoir|souhait\w+|garder?)\b.{{0,40}}\b(?:la |le |en |par |sur |version |l'envoi |un |au )(?:\w+ )?{_PAPER}\b",
    rf"^(?:en )?{_PAPER}$",
    rf"\b{_EMAIL}\b ne me convien",
)
stop_paper = any_of(
    r"\b(?:arret\w*|stop\w*|cess\w*|supprim\w*)\b.{0,25}\b(?:papier|postal\w*|poste|imprimee)\b",
    r"\bplus (?:de |d'|en |par |le |la |l')*(?:version |edition |exemplaire |courrier |lettre |envoi )*(?:papier|poste|postale?)\b",
    r"\b(?:plus|pas)\b (?:m'|me |nous )?(?:envoyer|adresser|recevoir|envoyez).{0,30}\b(?:papier|poste|postale?)\b|\b(?:envoyez|adressez) plus\b.{0,30}\b(?:papier|poste|postale?)\b",
    r"\b(?:papier|poste)\b.{0,15}\b(?:stop|arret)",
)

neither = any_of(
    rf"\b(?:plus|ni|stop)\b (?:de |d'|le |la |en |lettre )*{_PAPER}\b.{{0,20}}\b(?:plus|ni|stop)\b (?:de |d'|le |par )*(?:e-?mails?|mails?|courriels?)\b",
    rf"\b(?:plus|ni|stop)\b (?:de |d'|le |par )*(?:e-?mails?|mails?|courriels?)\b.{{0,20}}\b(?:plus|ni|stop)\b (?:de |d'|le |la |en )*{_PAPER}\b",
)

undo = any_of(
    r"^(?:\w+ )?annul(?:er|ez|e|ation)\b(?! (?:mon|mes|notre|l'|ma|votre) ?(?:abonnement|inscription|participation|venue|presence|reservation))",
    r"\bannul\w+ (?:mon|ma|cette|la|le) (?:de[sz]ab+on+|desins?cri|demande|derniere demande|precedente|suspension|pause)",
    r"^(?:please )?(?:undo|cancel)$|\bcancel my (?:last |previous )?request\b",
    r"\brevenir en arriere\b",
)

how = any_of(
    r"\bcomment\b|\b(?:ou|quel) (?:se trouve|est|puis-je|trouver|dois-je)\b.{0,20}\b(?:lien|bouton|cliquer)|\bou (?:faut-il|dois-je) (?:cliquer|ecrire)|\bhow (?:do|can|to)\b|\bquelle? est la (?:procedure|marche|demarche)"
)
subject_of_how = any_of(
    rf"{OUT_STEM}|\b(?:s'|m'|se |me )(?:re-?)?(?:abonn|inscri)|\babonnement|\bpause\b|\bsuspend|\bca marche|\bfonctionne|\bquitter|\bne plus recevoir|\bchanger d'adresse|\bannuler (?:mon|une) (?:abonnement|demande)"
)
help_ = any_of(
    r"^(?:aide|help|commandes?|mode d'emploi|\?+|info aide|besoin d'aide)$|\bquelles? sont les commandes\b|\bcomment (?:ca|cela) (?:marche|fonctionne)\b|\bmode d'emploi\b"
)
speaks_of_leaving = any_of(rf"\b{OUT_STEM}")
# « Inutile de me l'envoyer »: once, or for good?
needless = any_of(r"\binutile de (?:me |nous )(?:l'|la |le |les )(?:envoyer|adresser)\b")
order = any_of(r"\b(?:articles?|documents?|fiches?|exemplaires?|comptes?[- ]rendus?|dossiers?|numeros?|n°)\b")
from_a_list = any_of(rf"\b{OUT_STEM}|\b{LISTS}\b|\b(?:mails?|courriels?|messages?|invitations?)\b")
