"""What keeps a machine from acting on a wish: denials, conditions, other people, quarrels, old stories.

Every doubt sends the mail to a person and says why. Patterns are over `french.fold`ed text.
"""

import re

from mailhub.mail import french, phrasebook
from mailhub.mail.phrasebook import LISTS, MAIL, any_of
from mailhub.mail.reasons import Reason


def denied(part: str) -> bool:
    """Say whether a part negates the leaving it mentions; "ne plus recevoir" is no denial but the wish itself."""
    bare = harmless_denial.sub(" ", part)
    if phrasebook.refuses(bare):
        return _REFUSES_TO_STOP.search(bare) is not None
    return denial(bare) is not None


_REFUSES_TO_STOP = re.compile(
    r"\b(?:jamais|pas) (?:dit|demande|souhaite)\b|\b(?:jamais|pas) (?:\w+ ){0,2}?(?:arret|stopp|cess|interromp)(?:er|ez|e)\b"
)


def about(said: str, wish: str) -> Reason | None:
    """The first doubt about a wish that was found; None when there is none."""
    if len(french.words(said)) > LONGEST_WISH:
        return Reason.LONG_TEXT
    found = next((why for test, why, exempt in _DOUBTS if wish not in exempt and test(said)), None)
    if found or not wish.startswith("leave"):
        return found
    if later(said):
        return Reason.LATER
    if without_asking(said) and not asking(said):
        return Reason.SPEAKS_OF_LEAVING
    if any(
        clause.endswith("?") and phrasebook.leave(clause) and not request(clause)
        for clause in french.clauses(said)
    ):
        return Reason.SPEAKS_OF_LEAVING
    if any(clause.endswith("?") and not phrasebook.leave(clause) for clause in french.clauses(said)):
        return Reason.QUESTION_BESIDE
    if something_else(said) or (phrasebook.order(said) and not publication(said)):
        return Reason.SOMETHING_ELSE
    if event(said) and not publication(said):
        return Reason.EVENT
    if topic(said):
        return Reason.TOPIC
    return Reason.ONLY_A_PART if partial(said) and not whole_publication(said) else None


def instead(said: str) -> Reason | None:
    """What a person should look at in a text without a wish; None when it is about something else."""
    if ignore_me(said):
        return None
    worry = next((why for test, why in _WORRIES if test(said)), None)
    if worry:
        return worry
    if phrasebook.speaks_of_leaving(said) and (dispute(said) or condition(said)):
        return Reason.LEAVES_PERHAPS
    if topic(said):
        return None
    if phrasebook.speaks_of_leaving(said) and not denied(said):
        return Reason.SPEAKS_OF_LEAVING
    if phrasebook.needless(said):
        return Reason.SPEAKS_OF_LEAVING
    if third_person(said) and of_subscriptions(said):
        return Reason.OF_SOMEBODY_ELSE
    return Reason.YES_OR_NO if re.match(r"(?:oui|non|ok)\b", said) and a_list(said) else None


# A wish is said in few words; what is longer is a letter to somebody.
LONGEST_WISH = 90

_KIN = r"(?:collegues?|directeurs?|directrices?|chefs?|cheffes?|mari|femme|epoux|epouse|adjointe?s?|predecesseure?|successeure?|remplacante?|assistante?|responsable|president|presidente|maire|elue?s?|equipe|agents?|mere|pere|soeur|frere|fils|fille|associee?|secretaire|stagiaires?|prefet|dgs)"
third_person = any_of(
    r"\b(?:m|mr|mme|mlle|mrs)\b\.? ?[a-z]|\b(?:madame|monsieur) (?!le |la |,|$)[a-z]",
    rf"\b(?:mon|ma|mes|notre|nos|leur|son|sa|un|une|l'ancienne?|l'ancien|ancien|ancienne|toute l'|toute notre|deux|trois)\s?(?:ancienne? |nouvelle |nouveau |autre )?{_KIN}\b",
    r"\bdecede|\bdeces\b|\bancien(?:ne)? (?:directeur|directrice|collegue|elu)",
    r"(?<!me )(?<!nous )\b(?:l'|le |la |les |lui |leur )(?:retirer|enlever|desabonner|desinscrire|supprimer|abonner|ajouter|envoyer)\b",
    r"\bdesabonnement (?:de|d') (?:la mairie|la commune|l'association)|\b(?:veulent|souhaitent|demandent|desirent)\b|\bpour le compte\b|\bde la part de\b",
)
denial = any_of(
    r"\bplus (?:de|d')\b|\b(?:ne|n'|pas|jamais|sans|don't|not|never|surtout pas|aucunement|nullement)\b|\bn'",
    r"\b(?:no|non|nao) (?:me|mi|nos|ci)\b",  # "no me retiren de las newsletters"
)
harmless_denial = re.compile(
    r"\b(?:n'(?:ai|avons) |ne (?:suis|sommes) |je |ne |n')*(?:plus|pas|jamais)(?: du tout| vraiment)? (?:interess\w*|concern\w*|le temps|besoin|utile|lus?)\b"
    r"|\bn'hesitez pas\b|\bsi ce n'est\b|\bje n'ai (?:rien|jamais) (?:demande|souscrit)\b"
)
stuck = any_of(
    r"\b(?:n'?arrive|ne parviens|ne reussis|n'ai pas reussi|ne fonctionne|ne marche|marche pas|impossible)"
)
do_it = any_of(
    r"\bmerci de (?:le |bien vouloir )?(?:le )?faire\b|\bfaites[- ]le\b|\ble faire (?:pour|a ma place)"
)
already = any_of(
    r"\b(?:ai|avez|avons|as|ont|a|suis|etes|etais|avais|aviez) (?:\w+ ){0,2}?(?:ete |deja |pourtant )*(?:de[sz]ab+on+e|des+ins?cri[ts]|retire[es]?\b|supprime[es]?\b|raye[es]?\b)",
    r"\bpourquoi\b.{0,30}\b(?:de[sz]ab+on|desinscri|retire|supprime|arret)",
)
condition = any_of(
    r"\bsi (?!possible|ce n'est|besoin|vous (?:le )?(?:voulez bien|pouvez|pouviez|plait))\w+",
    r"\bhesit|\bpeut-etre\b|\benvisag|\bsinon\b|\bfaut[- ]il\b|\bdois-je\b|\bdevrais\b|\bavant de me\b|\bau lieu de me\b|\bplutot que de me\b|\best-ce que je\b|\bqu'en pensez|\bpense (?:a )?me\b|\bau cas ou\b|\bvais (?:sans doute|probablement)",
)
later = any_of(
    r"\b(?:annee|mois|semaine|trimestre|semestre|printemps|ete|automne|hiver) prochaine?\b|\b(?:l'an|le mois) prochain\b",
    r"\bprochaine?s (?:\w+ )?(?:annees|mois|semaines|jours|ans|numeros|envois|lettres)\b",
    r"\bdes (?:la fin|que (?!possible)|mon|ma)\b|\ba (?:la fin|l'issue) (?:de|du|des|d')|\bdans (?:\w+ ){0,2}(?:jours|semaines|mois|ans?)\b|\blorsque?\b|\bquand (?!meme|vous)|\bune fois (?:que|la|le|mon|ma)\b",
)
# A question that speaks of leaving is a wish only when it asks us to do it: "pouvez-vous me retirer", never "vous me retirez ?"
request = any_of(
    r"^(?!.*\b(?:dire|savoir|expliquer|confirmer|indiquer|verifier|rappeler)\b).*\b(?:(?:pouvez|pourriez|peux|pourrais|auriez)[- ](?:vous|tu)|vous (?:pouvez|pourriez|serait-il possible)|"
    r"possible (?:de|d')|c'est possible|veuillez|merci|svp|priere|je (?:voudrais|souhait\w+|veux|desire\w*|demande)|j'aimerais|nous (?:voudrions|souhait\w+|voulons|demandons)|"
    r"please|(?:can|could|would) you)\b"
)
# « On arrête la revue » tells something; « on arrête la revue svp » asks for it.
without_asking = any_of(
    rf"\b(?:on|nous) (?:arret|stopp|cess)(?:e|ons) (?:vos |les |la |le |ces |cette |votre |l'){MAIL}\b"
)
asking = any_of(r"\bsvp\b|\bmerci\b|\bplease\b")
personal_data = any_of(
    r"\b(?:mes|nos|toutes|les|des) donnees\b|\bdroit d'acces\b|\bquelles? (?:informations|donnees)\b|\b(?:efface|supprim)\w+ (?:\w+ ){0,3}?(?:informations|historique|traces)"
)
dispute = any_of(
    r"\bplainte\b|\bavocat\b|\bmise en demeure\b|\bcnil\b|\b(?:deuxieme|troisieme|quatrieme|enieme|\d+eme) (?:demande|fois|rappel)|\bharcelement\b"
)
delivery = any_of(
    r"\bne (?:recois|recevons|recevrai|recevrons|recoit|l'ai|la recois|les recois) (?:plus|pas|rien|toujours)|\b(?:n'ai|n'avons) (?:pas|plus|rien|toujours pas|jamais) (?:\w+ )?recu",
    r"\b(?:n'ai|n'avons|n'y a|n'a) (?:plus |pas )?(?:recu |eu )?aucune?\b",
    r"\brecois (?:encore|toujours|deux|plusieurs)|\bne (?:m'|nous )(?:arrive(?:nt)?|parvien\w+) (?:plus|pas|jamais)|\ben double\b|\bindesirables?\b|\bpourriels?\b|\bpeux plus recevoir",
)
too_many = any_of(r"\btrop (?:de|d'|nombreux|frequents?) ?(?:mails|messages|courriels|envois|$)")
departure = any_of(
    r"\bretraite\b|\bquitt\w+ (?:mes|mon|la|le|ma|l')|\bchang\w* de (?:poste|fonction|service|travail|metier)|\bne travaill\w+ plus (?:ici|a |chez|pour|au|dans (?:la|cette|l'))|\bmut(?:e|ee|ation)\b|\bfin de (?:contrat|mission)\b|\bne fai[ts] plus partie\b"
)
succession = any_of(
    r"\bremplac(?!er (?:mon|mes|notre|l'|le |la )|ez (?:mon|mes|notre|l'))\w*|\bsuccesseu\w+|\bceder\b|\btransferer mon abonnement|\becrivez (?:plutot )?a\b|\bcontactez\b|\bnotez? (?:mon|ma)\b"
)
absence = any_of(
    r"\b(?:suis|serai|serais|etant) (?:actuellement )?(?:absent|en conge|en vacances|en deplacement|en formation)|\ben mon absence\b|\bde retour le\b"
)
ignore_me = any_of(r"\bne (?:pas )?(?:tenez|tenir) (?:pas )?(?:aucun )?compte\b|\bignorez\b")
partial = any_of(
    r"\bplus (?:\S+ )?que (?:la|le|les|l')\b|\b(?:seulement|uniquement|juste|sauf|excepte|hormis)\b|\ba l'exception\b|\ben dehors de\b"
)
topic = any_of(
    r"\b(?:recherch\w+|cherche|cherchons|informations? sur|infos? sur|etudes?|experiences?|references|prepare|connaissez|existe-t-il|avez-vous|retours? d'experience|circulaire|decret|foyers|eleves|statistiques)\b"
)
event = any_of(
    r"\b(?:formations?|ateliers?|reunions?|rencontres?|seminaires?|journees?|webinaires?|conferences?|colloques?)\b"
)
a_list = any_of(rf"\b{LISTS}\b")
of_subscriptions = any_of(
    r"\b(?:abonn|retir|enlev|supprim|ajout|liste|envoi|envoy|fichier|adresse|coordonnee)\w*"
)
something_else = any_of(
    r"\bcommandes?\b|\bannuaire\b|\bliste d'attente\b|\bliste (?:des |de )(?:participants|inscrits|invites|quartiers|presents)|\bpieces? jointes?\b|\ben copie\b|\bconvocations?\b|\bsite (?:web|internet)\b"
)
publication = any_of(
    r"\b(?:lettres?|revues?|newsletters?|infolettres?|bulletins?|diffusion|mailing|listing|abonne\w*)\b"
)
whole_publication = any_of(
    r"\b(?:seulement|uniquement|juste) (?:de |a )?(?:la |les )?(?:lettre|revue|newsletter)"
)
an_order = any_of(r"\barticle|\bdocument|\d")
dated = any_of(r"\d|\bfin\b")


def somebody_in_request(said: str) -> bool:
    """Whoever showed us the letter is no third person in the request; "abonnez ma collègue" is."""
    return any(third_person(part) and phrasebook.join(part) for part in french.parts(said))


# Each doubt with the wishes it says nothing against.
_DOUBTS = (
    (third_person, Reason.SOMEBODY_ELSE, {"join"}),
    (somebody_in_request, Reason.SOMEBODY_ELSE, set[str]()),
    (dispute, Reason.DISPUTE, set[str]()),
    (lambda said: bool(phrasebook.undo(said)) and bool(an_order(said)), Reason.ORDER, set[str]()),
    (already, Reason.BEFORE, {"undo"}),
    (condition, Reason.CONDITION, {"undo"}),
    (delivery, Reason.DELIVERY, {"undo", "email"}),
    (succession, Reason.SUCCESSOR, {"undo", "change-address"}),
    (
        lambda said: bool(departure(said)) and bool(dated(said)),
        Reason.DEPARTURE,
        {"undo", "maybe-leave"},
    ),
)
_WORRIES = (
    (delivery, Reason.DELIVERY),
    (too_many, Reason.TOO_MANY),
    (departure, Reason.DEPARTURE),
    (succession, Reason.SUCCESSOR),
    (absence, Reason.ABSENCE),
    (already, Reason.BEFORE),
)
