"""What the language of mail asks of DNS. Nothing is looked up here: whoever asks for a verdict brings a resolver.

The resolver, not the question, knows when enough is enough: past its limits it raises `TemporaryDns`.
"""

from typing import Protocol

from mailhub.errors import Permanent, Temporary


class NoRecord(Permanent):
    """DNS says that there is no such record."""


class TemporaryDns(Temporary):
    """DNS does not answer now, or enough was asked already."""


class Resolver(Protocol):
    """Four questions. Each answers with at least one value, or raises `NoRecord` or `TemporaryDns`."""

    def txt(self, name: str) -> tuple[bytes, ...]:
        """Every TXT record of a name, the strings of each joined."""
        ...

    def addresses(self, name: str, version: int) -> tuple[str, ...]:
        """The addresses of a host, for IP version 4 or 6."""
        ...

    def mx(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for a domain, the preferred first."""
        ...

    def ptr(self, address: str) -> tuple[str, ...]:
        """The names of an IP address."""
        ...
