"""The registration methods by name: ours and the published ones, behind one call."""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import final

from core.errors import RegistrationError
from core.geometry.rigid import Rigid
from core.registration.frame import register_frame
from core.registration.published import VERISERUM, XVR
from core.registration.recipe import Recipe
from core.registration.record import METHOD, ROBUST, ROBUST_SCALE
from core.registration.values import Problem, Solution, Step

Run = Callable[[Problem, Sequence[Rigid], Recipe | None], Generator[Step, None, Solution]]


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """One way of registering a frame."""

    id: str
    label: str
    """A few words for a menu."""
    about: str
    """One sentence for a tooltip: what it does, and when to take it."""
    run: Run


def _robust(problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None) -> Generator[Step, None, Solution]:
    recipe = replace(Recipe() if recipe is None else recipe, robust_scale=ROBUST_SCALE)
    return (yield from register_frame(problem, starts, recipe))


def _veriserum(problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None) -> Generator[Step, None, Solution]:
    from core.registration.veriserum import register_veriserum  # noqa: PLC0415 - torch takes seconds to load

    return (yield from register_veriserum(problem, starts, recipe))


def _xvr(problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None) -> Generator[Step, None, Solution]:
    from core.registration.xvr import register_xvr  # noqa: PLC0415 - torch takes seconds to load

    return (yield from register_xvr(problem, starts, recipe))


DEFAULT = METHOD
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        DEFAULT: Method(
            id=DEFAULT,
            label="Gauss-Newton",
            about="Gradient correlation of log pictures in all views by Gauss-Newton: fast and the most accurate",
            run=register_frame,
        ),
        ROBUST: Method(
            id=ROBUST,
            label="Gauss-Newton, robust",
            about="The same, then once more with less weight on what the model does not explain: for pictures with "
            "cables, markers or bodies that are not registered",
            run=_robust,
        ),
        VERISERUM: Method(
            id=VERISERUM,
            label="Veriserum",
            about="Adam on the correlation of whole pictures, as published with Veriserum: to compare; slower",
            run=_veriserum,
        ),
        XVR: Method(
            id=XVR,
            label="xvr",
            about="Adam on patch and gradient correlation, coarse to fine, as published with xvr: to compare; slower",
            run=_xvr,
        ),
    }
)


def method_named(name: str) -> Method:
    """The method of that id.

    Raises:
        RegistrationError: there is none; the message lists those there are.
    """
    method = METHODS.get(name)
    if method is None:
        raise RegistrationError(f"there is no registration method {name!r}; there is: {', '.join(METHODS)}")
    return method


def register_by(
    name: str, problem: Problem, starts: Sequence[Rigid], recipe: Recipe | None = None
) -> Generator[Step, None, Solution]:
    """Register a frame by the method of that name; yields and returns as ``register_frame`` does.

    Raises:
        RegistrationError: no such method; not one start a body.
    """
    return (yield from method_named(name).run(problem, starts, recipe))
