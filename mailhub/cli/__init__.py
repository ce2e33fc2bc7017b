"""The command line: one word typed by an operator, one call.

Each noun is a module; `program` puts them together and turns an error of ours into one sentence on standard error.
Modules import what is quick to import; a database, a server or a template engine is imported inside the command that
needs it, so that `mailhub --help` answers at once.
"""

from mailhub.cli.program import app


def main() -> None:
    """What the `mailhub` program runs."""
    app()
