"""Stage 1, the doors. Their only verb is `journal.accept`; a `250` is said after the commit, never before."""
