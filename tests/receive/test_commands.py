"""The two readings of an address in a command agree."""

from hypothesis import given
from hypothesis import strategies as st

from mailhub.receive import commands

VERBS = st.sampled_from(["MAIL FROM:", "RCPT TO:", "MAIL FROM: ", "mail from:"])
PATHS = st.one_of(
    st.from_regex(r"<[a-z+.']{1,4}@[a-z.\-]{1,4}>", fullmatch=True),
    st.from_regex(r"<[a-z+.'\\ é\"]{0,4}@?[a-z.\-\[]{0,4}>?", fullmatch=True),
)
PARAMETERS = st.sampled_from(
    ["", " SIZE=12", " SIZE=12 BODY=8BITMIME", " BODY=BINARYMIME", " SIZE=", " RET=FULL"]
)


@given(VERBS, PATHS, PARAMETERS, st.sampled_from(["\r\n", "\n"]))
def test_what_is_plain_is_read_alike(verb: str, path: str, parameters: str, end: str):
    read = commands.plain(f"NOOP\r\n{verb}{path}{parameters}{end}".encode(), 6)
    address, rest = commands.path(path + parameters)

    assert read is None or (read.sender or read.recipient, rest) == (address, parameters.strip())
    assert read is None or read.is_extended is bool(parameters)


def test_the_plainest_commands_are_plain():
    said = b"MAIL FROM:<a.b+c@reader.example> SIZE=4096 BODY=8BITMIME\r\nRCPT TO:<question@centre.example>\r\nDATA\r\n"

    assert commands.plain(said, 0) == commands.PlainCommand("a.b+c@reader.example", 4096, True, "", 58)
    assert commands.plain(said, 58) == commands.PlainCommand("", 0, False, "question@centre.example", 93)
    assert commands.plain(said, 93) == commands.PlainCommand("", 0, False, "", 99)
    assert commands.plain(b"DATA now\r\n", 0) is None
