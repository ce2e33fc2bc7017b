"""One LMTP conversation: as SMTP, but for the greeting and one answer per recipient after a body. RFC 2033."""

# ruff: noqa: N802  # aiosmtpd finds its commands by their names

from collections.abc import Sequence

from mailhub.receive.conversation import Conversation
from mailhub.receive.replies import Reply


class LmtpConversation(Conversation):
    """A visit at the LMTP door: LHLO, and one answer per recipient. RFC 2033 section 4."""

    source = "lmtp"

    async def check_helo_needed(self, helo: str = "LHLO") -> bool:
        """Ask for the greeting of LMTP."""
        return bool(await super().check_helo_needed(helo))

    def answer(self, replies: Sequence[str]) -> str:
        """Answer for a body, one reply per recipient, in their order."""
        return "\r\n".join(replies)

    async def smtp_LHLO(self, hostname: str | None) -> None:
        """Greet a peer and say what we can do."""
        await self._greet(hostname, extended=True)

    async def smtp_HELO(self, _hostname: str | None) -> None:
        """Refuse: a peer that says HELO would not read our answers right."""
        await self.push(Reply.SAY_LHLO)

    async def smtp_EHLO(self, _hostname: str | None) -> None:
        """Refuse, as HELO."""
        await self.push(Reply.SAY_LHLO)
