"""Which dark region of which view is the shadow of which body, where nobody drew one."""

from collections.abc import Sequence
from itertools import permutations, product

import numpy as np
from jaxtyping import Bool

from core.errors import RegistrationError
from core.imaging.metal import dark_regions
from core.initialisation.shadows import SmallMask, first_place, laid_on, placed, small_mask, triangulated
from core.registration.values import Body, Problem

BodyMasks = tuple[Bool[np.ndarray, "h w"] | None, ...]
"""The mask of one body in each shot; None where it is not known."""

_MOST_REGIONS = 4
_GAP_WEIGHT = 0.05
"""Loss a millimetre by which the rays of two regions miss each other."""
_LOOKS = np.stack([np.eye(3), [[0, 0, 1], [1, 0, 0], [0, 1, 0]], [[0, 1, 0], [0, 0, 1], [1, 0, 0]]]).astype(float)
"""Directions from which a body's usual shadow is taken."""


def masks_for(problem: Problem, drawn: Sequence[BodyMasks | None] | None) -> tuple[BodyMasks, ...]:
    """Masks of all bodies in all shots: drawn ones as they are, the others proposed from what is dark.

    Raises:
        RegistrationError: masks that do not belong to the problem; a body without a mask in any view.
    """
    known = _checked(problem, drawn)
    open_bodies = [at for at, masks in enumerate(known) if all(mask is None for mask in masks)]
    if open_bodies:
        found = _proposed(problem, known, open_bodies)
        known = [found.get(at, masks) for at, masks in enumerate(known)]
    return tuple(known)


def _checked(problem: Problem, drawn: Sequence[BodyMasks | None] | None) -> list[BodyMasks]:
    nothing: BodyMasks = (None,) * len(problem.shots)
    if drawn is None:
        return [nothing] * len(problem.bodies)
    if len(drawn) != len(problem.bodies):
        raise RegistrationError(f"{len(problem.bodies)} bodies need as many masks, got {len(drawn)}")
    for body, masks in zip(problem.bodies, drawn, strict=True):
        for shot, mask in zip(problem.shots, masks or nothing, strict=True):
            if mask is not None and mask.shape != shot.usable.shape:
                raise RegistrationError(
                    f"the mask of {body.name} in view {shot.view.name} is {mask.shape[1]} x {mask.shape[0]} px, "
                    f"the picture {shot.usable.shape[1]} x {shot.usable.shape[0]} px"
                )
    return [masks or nothing for masks in drawn]


def _proposed(problem: Problem, known: Sequence[BodyMasks], wanted: Sequence[int]) -> dict[int, BodyMasks]:
    """The assignment of regions to bodies that agrees best with their sizes and with both views."""
    regions: list[list[Bool[np.ndarray, "h w"]]] = []
    for at, shot in enumerate(problem.shots):
        taken = np.zeros(shot.usable.shape, dtype=bool)
        for masks in known:
            if masks[at] is not None:
                taken |= masks[at]
        found = [region.at_size(shot.usable.shape) for region in dark_regions(shot.image, shot.usable)]
        found = [mask for mask in found if np.count_nonzero(mask & taken) < 0.5 * np.count_nonzero(mask)]
        regions.append(sorted(found, key=lambda mask: -int(np.count_nonzero(mask)))[:_MOST_REGIONS])
        if len(found) < len(wanted):
            names = " and ".join(problem.bodies[body].name for body in wanted)
            raise RegistrationError(
                f"view {shot.view.name} shows {len(found)} dark region{'s' if len(found) != 1 else ''} with a sharp "
                f"border, not enough for {names}; draw a region around each body's shadow"
            )
    small = [
        [small_mask(shot.view, mask, 48) for mask in masks] for shot, masks in zip(problem.shots, regions, strict=True)
    ]
    orders = [list(permutations(range(len(masks)), len(wanted))) for masks in regions]
    losses: dict[tuple[int, tuple[int, ...]], float] = {}
    best, least = None, np.inf
    for combination in product(*orders):
        total = 0.0
        for slot, body in enumerate(wanted):
            choice = tuple(order[slot] for order in combination)
            key = (body, choice)
            if key not in losses:
                losses[key] = _loss(problem.bodies[body], [small[view][r] for view, r in enumerate(choice)])
            total += losses[key]
        if total < least:
            best, least = combination, total
    if best is None:
        raise RegistrationError("no dark region fits the bodies; draw a region around each body's shadow")
    return {
        body: tuple(regions[view][order[slot]] for view, order in enumerate(best)) for slot, body in enumerate(wanted)
    }


def _loss(body: Body, masks: Sequence[SmallMask | None]) -> float:
    """How badly a body fits regions: what its shadows and they do not share, and the gap between the rays."""
    there = [mask for mask in masks if mask is not None]
    if len(there) < len(masks):
        return 10.0
    place = first_place(body, there)
    overlap = max(laid_on(body, placed(body, rotation, place), there, 2)[1] for rotation in _LOOKS)
    gap = triangulated(there)[1] if len(there) > 1 else 0.0
    return 1.0 - overlap + _GAP_WEIGHT * gap
