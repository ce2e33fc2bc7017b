"""The secrets of one home, as files in `storage/keys` that nobody else may read.

`tokens` holds one line per key, `NUMBER HEX`: the highest number signs, all of them verify; removing a line kills
every token it made. The oldest also makes the digests of addresses that must not be written to, which nobody could
make again: after a leak its line becomes `NUMBER HEX digests`, and it does only that. `dkim-rsa.pem` and
`dkim-ed25519.pem` sign our letters.
"""

import os
import secrets
import stat
from pathlib import Path

from mailhub.errors import HomeError
from mailhub.mail import dkim
from mailhub.mail.dkim import KeyKind, Signer, SigningKey
from mailhub.mail.tokens import Keyring

_TOKENS = "tokens"
_DIGESTS = "digests"
_MOST_KEYS = 255


def create(folder: Path) -> None:
    """Make the keys a home lacks; those it has are never touched."""
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)
    if not (folder / _TOKENS).exists():
        write_private(folder / _TOKENS, f"1 {secrets.token_hex(32)}\n".encode())
    for kind in KeyKind:
        if not _dkim_path(folder, kind).exists():
            write_private(_dkim_path(folder, kind), dkim.generate(kind))


def rotate(folder: Path) -> int:
    """Add a token key that signs from now on; the older ones go on verifying. Returns its number."""
    path = folder / _TOKENS
    number = keyring(folder).current + 1
    if number > _MOST_KEYS:
        raise HomeError(f"{path}: no number is left for a new key; remove the oldest lines")
    kept = [f"{line}\n" for line in path.read_text("ascii").splitlines() if line.strip()]
    write_private(path, "".join([*kept, f"{number} {secrets.token_hex(32)}\n"]).encode())
    return number


def keyring(folder: Path) -> Keyring:
    """The keys of a home that make and open tokens, and the one that makes digests."""
    path = folder / _TOKENS
    _check_private(path)
    try:
        lines = [line.split() for line in path.read_text("ascii").splitlines() if line.strip()]
        leaked = [bytes.fromhex(line[1]) for line in lines if line[2:] == [_DIGESTS]]
        ring = {
            int(number): bytes.fromhex(secret)
            for number, secret in (line for line in lines if line[2:] != [_DIGESTS])
        }
    except (OSError, ValueError, IndexError) as error:
        raise HomeError(f"{path}: not readable as lines of NUMBER HEX") from error
    if not ring or any(len(secret) < 32 for secret in (*ring.values(), *leaked)):
        raise HomeError(f"{path}: at least one key of 32 octets is needed; `mailhub init` makes one")
    if len(leaked) > 1:
        raise HomeError(f"{path}: only the oldest key makes digests; remove the word from the other lines")
    return Keyring(max(ring), ring, *leaked)


def signer(folder: Path, domain: str, selector: str) -> Signer:
    """What signs our letters: RSA first, then Ed25519 (RFC 8463 section 3)."""
    keys = []
    for kind in KeyKind:
        path = _dkim_path(folder, kind)
        _check_private(path)
        keys.append(SigningKey.load(f"{selector}-{kind}", path.read_bytes()))
    return Signer(domain, keys)


def write_private(path: Path, content: bytes) -> None:
    """Write a file only its owner may read, whole or not at all."""
    partial = path.with_name(f".{path.name}.new")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.replace(path)


def _check_private(path: Path) -> None:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        raise HomeError(f"{path}: {error.strerror}; `mailhub init` makes the keys a home lacks") from error
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise HomeError(f"{path}: others can read this key; run `chmod 600 {path}`")


def _dkim_path(folder: Path, kind: KeyKind) -> Path:
    return folder / f"dkim-{kind}.pem"
