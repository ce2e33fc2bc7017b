"""The form of a body, for any octets a peer may send."""

import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailhub.receive.body import Body, has_bare_newline
from mailhub.receive.limits import Gate, Limits
from mailhub.receive.replies import Reply

pieces = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\0", b"\x85", b"\xe9"]), max_size=12)


@given(pieces.map(b"".join))
def test_a_newline_is_bare_unless_it_is_half_of_a_crlf(body: bytes):
    bare = re.search(rb"\r(?!\n)|(?<!\r)\n", body) is not None

    assert has_bare_newline(body) is bare


def heard(pieces_said: list[bytes], most: int = 1000) -> tuple[bytes | None, bytes, Body]:
    """The mail that was said in these pieces, None when it has no end, and what followed it."""

    body = Body(Gate(Limits(bodies_bytes=60)), most)
    for number, piece in enumerate(pieces_said):
        rest = body.hear(piece)
        if body.is_whole:
            return body.mail(), rest + b"".join(pieces_said[number + 1 :]), body
    return None, b"", body


@given(
    st.lists(st.sampled_from([b"\r\n", b".", b"\r\n.", b"\r\n.\r\n", b"\r", b"\n", b"a"]), max_size=14),
    st.data(),
)
def test_a_body_ends_where_it_ends_however_it_is_cut(said: list[bytes], data: st.DataObject):
    wire = b"".join(said)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(wire)), max_size=6)))
    pieces_said = [wire[start:end] for start, end in pairwise([0, *cuts, len(wire)])]
    before, end, after = (b"\r\n" + wire).partition(b"\r\n.\r\n")
    expected = (before + b"\r\n").replace(b"\r\n.", b"\r\n")[2:], after

    mail, rest, _ = heard(pieces_said)

    assert (mail, rest) == (expected if end else (None, b""))


@pytest.mark.parametrize(("most", "refusal"), [(50, Reply.TOO_BIG), (1000, Reply.NO_ROOM)])
def test_a_refused_body_is_heard_to_its_end_and_held_by_nobody(most: int, refusal: Reply):
    mail, rest, body = heard([b"a" * 40, b"b" * 40, b"\r", b"\n.", b"\r\nNOOP\r\n"], most)

    assert (mail, rest, body.refusal) == (b"", b"NOOP\r\n", refusal)
    assert len(body._wire) < 8  # what nobody may see is not there either
