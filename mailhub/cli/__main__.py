"""`python -m mailhub.cli` is `mailhub`."""

from mailhub.cli import main

main()
