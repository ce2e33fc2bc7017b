"""What a letter that failed left as its `answer`: ours and a server's words are told apart."""

import pytest

from mailhub.outbox import End, Ending, end_of


@pytest.mark.parametrize(
    ("answer", "end"),
    [
        ("550 5.1.1 no such user", End((), "550 5.1.1 no such user")),
        ("554", End((), "554")),
        ("given up: 450 4.2.0 later", End((Ending.GIVEN_UP,), "450 4.2.0 later")),
        ("given up: the relay mx:25: Connection refused", End((Ending.GIVEN_UP,), "")),
        ("returned: 5.1.1 user-unknown (address)", End((Ending.RETURNED,), "")),
        ("expired: its deadline has passed", End((Ending.EXPIRED,), "")),
        ("too large: the letter has 99 octets, the relay takes 80", End((Ending.TOO_LARGE,), "")),
        ("this is no address: 'x'", End((Ending.UNTAKEN,), "")),
        ("", End((Ending.UNTAKEN,), "")),
    ],
)
def test_our_words_are_parted_from_those_of_a_server(answer: str, end: End):
    assert end_of(answer) == end
