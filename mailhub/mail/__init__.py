"""The language of mail: pure functions from bytes to values. No I/O, no database, no clock."""
