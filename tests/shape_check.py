"""Check annotated shapes and types at each call: beartype, made to accept ``Self`` in methods."""

from collections.abc import Callable
from typing import Any, Self

from beartype import BeartypeConf, beartype

_checked = beartype(conf=BeartypeConf(is_pep484_tower=True))


def shape_check(function: Callable[..., Any]) -> Callable[..., Any]:
    """Wrap one function.

    ``Self`` means nothing outside its class and is not checked; constructors convert what they are
    given and check it themselves.
    """
    if function.__name__ == "__init__":
        return function
    hints = getattr(function, "__annotations__", {})
    for name, hint in hints.items():
        if hint is Self:
            hints[name] = Any
    return _checked(function)
