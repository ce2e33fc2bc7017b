"""The errors of mailhub, one tree; the docstring is the message, `.temporary` says whether again helps.

    MailhubError                 something mailhub can name
    ├── Temporary                try again later: the sender keeps the mail
    │   ├── StorageTrouble       the journal or the database cannot be written
    │   └── ChangedMeanwhile     another process was faster; the same again sees what it did
    └── Permanent                again will not help
        ├── SettingsError        a setting is wrong
        ├── ListError            a file in lists/ is wrong
        ├── HomeError            the home directory is not as it must be
        ├── UnknownRow           no such row
        └── Refused              an operator's verb does not apply here

An error that is not of this tree counts as temporary: the unknown may heal.
"""


class MailhubError(Exception):
    """Something went wrong in mailhub."""

    temporary = True

    def __str__(self) -> str:
        said = super().__str__()
        return said or (self.__doc__ or "").splitlines()[0]


class Temporary(MailhubError):  # noqa: N818 — a branch of the tree, named for what it says
    """Try again later."""


class StorageTrouble(Temporary):
    """The journal cannot be written; the sender keeps the mail."""


class ChangedMeanwhile(Temporary):
    """This was changed by another process at the same moment; do it again."""


class Permanent(MailhubError):  # noqa: N818
    """Trying again will not help."""

    temporary = False


class SettingsError(Permanent):
    """A setting is wrong."""


class ListError(Permanent):
    """A file in lists/ is wrong."""


class HomeError(Permanent):
    """The home directory is not as it must be."""


class UnknownRow(Permanent):
    """There is no such row."""


class Refused(Permanent):
    """This cannot be done in the present state."""
