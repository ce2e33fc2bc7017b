"""What to write instead of a value of the wrong form: pydantic speaks to whoever wrote the program, this to whoever wrote the file."""

from collections.abc import Mapping
from typing import Any

_SENTENCES = {
    "tuple_type": 'write a list between brackets, such as ["one", "two"]',
    "too_short": "write at least {min_length} of them",
    "model_type": "write a section of its own, with its keys on the lines below",
    "string_type": "write text between quotation marks",
    "string_pattern_mismatch": "there are signs that cannot stand here",
    "path_type": "write the path of a file between quotation marks",
    "bool_type": "write true or false, without quotation marks",
    "bool_parsing": "write true or false",
    "int_type": "write a whole number, without quotation marks",
    "int_parsing": "write a whole number",
    "int_from_float": "write a whole number",
    "float_type": "write a number",
    "float_parsing": "write a number",
    "finite_number": "write a number",
    "greater_than": "write a number above {gt}",
    "greater_than_equal": "write {ge} or more",
    "less_than_equal": "write {le} or less",
    "literal_error": "write one of {expected}",
    "time_type": 'write an hour such as "17:00"',
    "time_parsing": 'write an hour such as "17:00"',
}


def sentence(details: Mapping[str, Any]) -> str:
    """What a person can do about one error that pydantic found; what our own checks found is such a sentence already."""
    said = str(details["msg"]).removeprefix("Value error, ")
    return _SENTENCES.get(details["type"], "{said}").format(said=said, **details.get("ctx", {}))
