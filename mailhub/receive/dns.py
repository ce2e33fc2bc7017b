"""DNS for the verdicts on incoming mail: one cache for the process, and for each mail a small allowance.

A stranger's records decide what is asked next, so each mail may ask so many questions and wait so long, and no
more; then every further question counts as unanswered. Blocking: it is used from a thread, by several at once.
"""

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import dns.exception
import dns.rdatatype
import dns.resolver
import dns.reversename

from mailhub.mail.resolver import NoRecord, TemporaryDns

_LONGEST_ANSWER = 16384  # octets of values: more is nothing that mail needs
_NO_RECORD_SECONDS = 300.0  # how long "there is none" is remembered
_LONGEST_MEMORY_SECONDS = 3600.0


class Dns:
    """Answers of the system's name servers, remembered for as long as they say, an hour at most."""

    def __init__(
        self,
        nameservers: Sequence[str] | None = None,
        *,
        port: int = 53,
        answer_seconds: float = 2.0,
        remembered: int = 2000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Use the given name servers, or those of the system; `clock` counts seconds."""
        self._servers = _servers(nameservers, port)
        self._answer_seconds = answer_seconds
        self._remembered = remembered
        self._clock = clock
        self._memory: OrderedDict[tuple[str, str], tuple[float, tuple[bytes, ...]]] = OrderedDict()
        self._lock = threading.Lock()

    def for_one_mail(self, *, questions: int = 64, seconds: float = 8.0) -> "Allowance":
        """Give the resolver for one mail: after so many questions, or so long, it answers nothing more."""
        return Allowance(self, questions, self._clock() + seconds, self._clock)

    def ask(self, name: str, kind: str, seconds: float) -> tuple[bytes, ...]:
        """The values of a record as octets, from memory or from a server within the given time."""
        key = (name.lower().rstrip("."), kind)
        values = self._recall(key)
        if values is None:
            values, ttl = self._fetch(*key, min(seconds, self._answer_seconds))
            self._remember(key, values, ttl)
        if not values:
            raise NoRecord(f"{kind} {name}")
        return values

    def _recall(self, key: tuple[str, str]) -> tuple[bytes, ...] | None:
        with self._lock:
            until, values = self._memory.get(key, (0.0, ()))
            if until <= self._clock():
                return None
            self._memory.move_to_end(key)
            return values

    def _remember(self, key: tuple[str, str], values: tuple[bytes, ...], ttl: float) -> None:
        with self._lock:
            self._memory[key] = (self._clock() + min(ttl, _LONGEST_MEMORY_SECONDS), values)
            self._memory.move_to_end(key)
            while len(self._memory) > self._remembered:
                self._memory.popitem(last=False)

    def _fetch(self, name: str, kind: str, seconds: float) -> tuple[tuple[bytes, ...], float]:
        """Ask a server: the values and how long they hold. No values means that there is no such record."""
        try:
            answer = self._servers.resolve(name, kind, lifetime=seconds, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return (), _NO_RECORD_SECONDS
        except (dns.exception.Timeout, dns.resolver.NoNameservers, OSError) as silence:
            raise TemporaryDns(f"{kind} {name}: {type(silence).__name__}") from silence
        except (dns.exception.DNSException, ValueError):  # LabelTooLong, EmptyLabel, names no one can ask for
            return (), _NO_RECORD_SECONDS
        values = _values(answer)
        if sum(map(len, values)) > _LONGEST_ANSWER:
            return (), _NO_RECORD_SECONDS
        return values, float(answer.chaining_result.minimum_ttl)


class Allowance:
    """The resolver of one mail (`mailhub.mail.resolver.Resolver`): what is left of its questions and its time."""

    def __init__(self, source: Dns, questions: int, until: float, clock: Callable[[], float]) -> None:
        self._source = source
        self._left = questions
        self._until = until
        self._clock = clock

    def txt(self, name: str) -> tuple[bytes, ...]:
        """Every TXT record of a name, the strings of each joined."""
        return self._ask(name, "TXT")

    def addresses(self, name: str, version: int) -> tuple[str, ...]:
        """The addresses of a host, for IP version 4 or 6."""
        return _text(self._ask(name, "AAAA" if version == 6 else "A"))

    def mx(self, name: str) -> tuple[str, ...]:
        """The hosts that take mail for a domain, the preferred first."""
        return _text(self._ask(name, "MX"))

    def ptr(self, address: str) -> tuple[str, ...]:
        """The names of an IP address."""
        return _text(self._ask(dns.reversename.from_address(address).to_text(), "PTR"))

    def _ask(self, name: str, kind: str) -> tuple[bytes, ...]:
        seconds = self._until - self._clock()
        if self._left <= 0 or seconds <= 0:
            raise TemporaryDns(f"{kind} {name}: asked enough for one mail")
        self._left -= 1
        return self._source.ask(name, kind, seconds)


def _servers(nameservers: Sequence[str] | None, port: int) -> dns.resolver.Resolver:
    try:
        servers = dns.resolver.Resolver(configure=nameservers is None)
    except dns.resolver.NoResolverConfiguration:
        servers = dns.resolver.Resolver(
            configure=False
        )  # no server: nothing is answered, every verdict is weak
    if nameservers is not None:
        servers.nameservers = list(nameservers)
        servers.port = port
    return servers


def _values(answer: dns.resolver.Answer) -> tuple[bytes, ...]:
    """The records of an answer as octets; MX by preference, without the null MX of RFC 7505."""
    records = list(answer)
    if answer.rdtype == dns.rdatatype.TXT:
        return tuple(b"".join(record.strings) for record in records)
    if answer.rdtype == dns.rdatatype.MX:
        records.sort(key=lambda record: (record.preference, record.exchange))
        hosts = [record.exchange.to_text(omit_final_dot=True) for record in records]
        return tuple(host.encode("ascii") for host in hosts if host != ".")
    return tuple(record.to_text().rstrip(".").encode("ascii") for record in records)


def _text(values: tuple[bytes, ...]) -> tuple[str, ...]:
    return tuple(value.decode("ascii") for value in values)
