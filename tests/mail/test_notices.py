"""Reports are read by our own MIME: what was made to hurt Python's is read like any other."""

import pytest

from mailhub.mail import calendar, kinds, message


@pytest.mark.parametrize(
    "raw",
    [
        b"Content-Type: text/calendar; charset*=utf-8''utf-8; charset*0=utf-8\r\n\r\nBEGIN:VCALENDAR\r\n",
        b"Content-Type: multipart/report; x*=a''b; x*0=c; boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
        b"Content-Type: text/calendar; method*" + b"9" * 5000 + b"=REPLY\r\n\r\nx\r\n",
        b"Content-Type: text/calendar; charset*=us\0ascii''utf-8\r\n\r\nx\r\n",
        b"Content-Type: multipart/report; boundary=wrong\r\n\r\n"
        + b"".join(
            b"--b%d\r\nContent-Type: multipart/mixed; boundary=b%d\r\n\r\n" % (n, n + 1) for n in range(4000)
        ),
    ],
    ids=["two charsets", "two parameters", "a long number", "a NUL", "nested"],
)
def test_what_python_stumbles_over_is_read(raw: bytes):
    mail = message.read(raw)

    assert kinds.sort(mail).kind in kinds.Kind
    calendar.read(mail)
