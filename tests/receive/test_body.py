"""The form of a body, for any octets a peer may send."""

import re

from hypothesis import given
from hypothesis import strategies as st

from mailhub.receive.body import has_bare_newline

pieces = st.lists(st.sampled_from([b"\r", b"\n", b"\r\n", b"a", b"\0", b"\x85", b"\xe9"]), max_size=12)


@given(pieces.map(b"".join))
def test_a_newline_is_bare_unless_it_is_half_of_a_crlf(body: bytes):
    bare = re.search(rb"\r(?!\n)|(?<!\r)\n", body) is not None

    assert has_bare_newline(body) is bare
