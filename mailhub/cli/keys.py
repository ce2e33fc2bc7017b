"""Keys: what tokens and letters are signed with, and what the world is told about them."""

# ruff: noqa: PLC0415 — heavy rooms are imported inside the command that needs them

import typer

from mailhub.cli import opening, screen
from mailhub.cli.options import HERE, AsJson, AsLines, Home
from mailhub.mail import domains

app = typer.Typer(help="What tokens and letters are signed with; never shown.", no_args_is_help=True)


@app.command("ls")
def ls(home: Home = HERE, json: AsLines = False) -> None:
    """List the keys by what they are for; the secrets stay in their files."""
    from mailhub import keys

    settings = opening.settings(home)
    folder = settings.storage / "keys"
    ring = keys.keyring(folder)
    signer = keys.signer(folder, settings.centre.domain, settings.dkim.selector)
    rows: list[dict[str, object]] = [
        {
            "name": f"tokens {number}",
            "signs": "tokens",
            "use": "signs" if number == ring.current else "verifies",
        }
        for number in sorted(ring.secrets)
    ]
    if ring.digests:
        rows.append({"name": "digests", "signs": "nothing", "use": "knows addresses not to be written to"})
    rows += [
        {
            "name": key.selector,
            "signs": "letters",
            "use": "signs" if settings.dkim.sign else "off (dkim.sign)",
        }
        for key in signer.keys
    ]
    if json:
        screen.lines(rows)
    else:
        screen.table(rows, ("name", "signs", "use"), nothing="no keys")


@app.command("rotate")
def rotate(home: Home = HERE, json: AsJson = False) -> None:
    """Make a new key for tokens; the older ones go on being understood."""
    from mailhub import keys

    number = keys.rotate(opening.settings(home).storage / "keys")
    sentence = (
        f"key {number} signs tokens from the next start of `mailhub serve`; older ones are still understood"
    )
    screen.done({"name": f"tokens {number}", "signs": "tokens", "use": "signs"}, sentence, as_json=json)


def dkim(home: Home = HERE, json: AsLines = False) -> None:
    """Print the DNS records to publish so that our letters are believed: DKIM, SPF, DMARC."""
    from mailhub import keys
    from mailhub.mail.dkim import dns_records, zone_line

    settings = opening.settings(home)
    signer = keys.signer(settings.storage / "keys", settings.centre.domain, settings.dkim.selector)
    relay = None if domains.is_loopback(settings.relay.host) else settings.relay.host
    records = dns_records(settings.centre.domain, signer, relay)
    if json:
        screen.lines(record._asdict() for record in records)
    else:
        screen.say("\n".join(zone_line(record) for record in records))
