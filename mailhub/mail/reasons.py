"""Why a mail was understood as it was, where the words of its author alone do not say it.

A closed list: what staff read of each stands in `templates/words/reasons.txt`.
"""

from enum import StrEnum


class Reason(StrEnum):
    """A rule that spoke, or a doubt; many a doubt is about a wish that was found."""

    NO_WORDS = "no-words"
    NO_WISH = "no-wish"
    SEVERAL_WISHES = "several-wishes"
    ANOTHER_ADDRESS = "another-address"  # a wish to leave, and an address that is not the sender's
    PERSONAL_DATA = "personal-data"
    # how
    NEITHER_WAY = "neither-way"  # neither paper nor email
    BY_EMAIL = "by-email"  # rather than on paper
    ON_PAPER = "on-paper"  # rather than by email
    NO_MORE_PAPER = "no-more-paper"
    STATED_TIME = "stated-time"  # a pause of so many weeks
    NO_END = "no-end"  # a pause without an end
    # leaving, or not
    USUAL_WAY_FAILED = "usual-way-failed"  # the link did not work, they say
    STAYS_WITH_ONE = "stays-with-one"  # perhaps not with the other
    LEAVES_AND_STAYS = "leaves-and-stays"
    SPEAKS_OF_LEAVING = "speaks-of-leaving"  # without asking to
    LEAVES_PERHAPS = "leaves-perhaps"  # speaks of it on a condition
    # doubts
    LONG_TEXT = "long-text"  # says more than a wish
    QUESTION_BESIDE = "question-beside"
    SOMETHING_ELSE = "something-else"
    EVENT = "event"
    TOPIC = "topic"  # it may be the subject of a question
    ONLY_A_PART = "only-a-part"
    SOMEBODY_ELSE = "somebody-else"  # is named
    OF_SOMEBODY_ELSE = "of-somebody-else"  # somebody else's subscription
    DISPUTE = "dispute"  # the tone calls for a person
    ORDER = "order"
    BEFORE = "before"  # something that happened before
    CONDITION = "condition"
    LATER = "later"  # not now, and on no day we can tell
    DELIVERY = "delivery"  # something does not arrive, or twice
    TOO_MANY = "too-many"
    SUCCESSOR = "successor"
    DEPARTURE = "departure"
    ABSENCE = "absence"
    YES_OR_NO = "yes-or-no"  # to something we do not see
    # coming or not
    UNCLEAR = "unclear"
    ON_A_CONDITION = "on-a-condition"  # comes on one, and asks
    SEVERAL_ANSWERS = "several-answers"
    NO_ANSWER = "no-answer"
