"""The program: every command in its place, and the one rim where an error of ours becomes a sentence."""

from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from mailhub.cli import (
    database,
    home,
    inspect,
    issue,
    journal,
    keys,
    ledger,
    lists,
    organisations,
    outbox,
    requests,
    screen,
    service,
    staff,
    subscribers,
    where,
)
from mailhub.errors import MailhubError


class Rim(TyperGroup):
    """Errors of ours, and what the system refuses, end here: one sentence, status 1, no traceback."""

    def invoke(self, ctx: Any) -> Any:  # noqa: ANN401 — typer brings its own click, whose types are not public
        """Run a command."""
        try:
            return super().invoke(ctx)
        except MailhubError as error:
            screen.complain(error)
        except BrokenPipeError:
            raise  # whoever read us has seen enough; typer ends quietly
        except OSError as error:
            if error.strerror is None:
                raise
            screen.aside(f"mailhub: {error.filename or 'the system'}: {error.strerror}")
        raise typer.Exit(1)


app = typer.Typer(
    name="mailhub",
    cls=Rim,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version  # noqa: PLC0415 — rarely asked

        screen.say(f"mailhub {version('mailhub')}")
        raise typer.Exit


@app.callback()
def mailhub(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and end.")
    ] = False,
) -> None:
    """Run a resource centre from its mailboxes: questions in, promises kept, answers out."""


def _add(panel: str, *parts: Callable[..., None] | tuple[str, typer.Typer]) -> None:
    """Put commands and nouns in a panel of the help, in this order."""
    for part in parts:
        if isinstance(part, tuple):
            app.add_typer(part[1], name=part[0], rich_help_panel=panel)
        else:
            app.command(rich_help_panel=panel)(part)


_add(
    "A home",
    home.init,
    home.check,
    home.backup,
    home.restore,
    keys.dkim,
    ("keys", keys.app),
    ("db", database.app),
    ("lists", lists.app),
)
_add("Running", service.serve, service.tick, service.receive, service.play)
_add(
    "What happened",
    where.where,
    inspect.inspect,
    ("journal", journal.app),
    ("requests", requests.app),
    ("outbox", outbox.app),
)
_add("Publications", ("issue", issue.app), ledger.ledger)
_add("People", ("staff", staff.app), ("organisations", organisations.app), ("subscribers", subscribers.app))
