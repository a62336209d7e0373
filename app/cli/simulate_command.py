"""The simulate command: a synthetic study, or the phantom pictures of a synthetic rig."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TypeVar

import typer
from typer.core import TyperGroup

from app.cli.output import progress, say

if TYPE_CHECKING:
    from core.calibration.phantoms import Phantom

    Kind = TypeVar("Kind", bound=Phantom)

_EXAMPLES = (
    "Examples: main.py simulate gait.study --frames 40 --seed 1   |   main.py simulate phantoms pictures/ --seed 1"
)
_STUDY_EXAMPLES = "Example: main.py simulate study gait.study --frames 40 --seed 1 (the word study may be left out)"
_PHANTOM_EXAMPLES = "Example: main.py simulate phantoms pictures/ --seed 1 --level 0.3 --photons 300"


class _StudyUnlessNamed(TyperGroup):
    """``simulate OUT.study`` goes on to mean ``simulate study OUT.study``."""

    def parse_args(self, ctx: typer.Context, args: list[str]) -> list[str]:  # type: ignore[override]
        """Put the default command in front of words that name none."""
        if args and args[0] not in {*self.commands, "--help"}:
            args = ["study", *args]
        return super().parse_args(ctx, args)


def add_to(application: typer.Typer) -> None:
    """Register the commands."""
    group = typer.Typer(cls=_StudyUnlessNamed, no_args_is_help=True, epilog=_EXAMPLES)
    group.command("study", epilog=_STUDY_EXAMPLES)(study)
    group.command("phantoms", epilog=_PHANTOM_EXAMPLES)(phantoms)
    application.add_typer(
        group, name="simulate", help="Make a synthetic study, or pictures of calibration phantoms; both with the truth."
    )


def study(
    out: Annotated[Path, typer.Argument(help="The study to be made: NAME.study")],
    frames: Annotated[int, typer.Option(min=1, help="Picture pairs over one gait cycle.")] = 40,
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same study.")] = 0,
    size: Annotated[int, typer.Option(min=128, max=4096, help="Side of the pictures in pixels.")] = 1024,
    bits: Annotated[int, typer.Option(help="8 or 16 bits a pixel.")] = 8,
) -> int:
    """Make a synthetic study: a knee that walks, X-rayed in two planes; truth in OUT/truth/*.csv."""
    from core.io.simulated_study import write_simulated_study

    if bits not in {8, 16}:
        raise typer.BadParameter("pictures have 8 or 16 bits", param_hint="--bits")
    with progress("X-raying", frames) as advance:
        for report in write_simulated_study(out, frames=frames, seed=seed, size_px=size, bits=bits):
            advance(report.done, report.message)
    say(f"{out}: {frames} picture pairs of {size} x {size} px, truth in {out / 'truth'}")
    return 0


def phantoms(
    out: Annotated[Path, typer.Argument(help="The folder to be made.")],
    seed: Annotated[int, typer.Option(min=0, help="Same seed, same rig, same pictures.")] = 0,
    grid: Annotated[str, typer.Option(help="Plate of beads or holes: a JSON file, or a built-in one.")] = "grid-45",
    disc: Annotated[str, typer.Option(help="Disc: a JSON file, or a built-in one.")] = "disc-200",
    beads: Annotated[str, typer.Option(help="Bead phantom: a JSON file, or a built-in one.")] = "cube-64",
    size: Annotated[int, typer.Option(min=160, max=4096, help="Height of the pictures in pixels.")] = 1600,
    level: Annotated[float, typer.Option(min=0, max=5, help="Unusual distortion: 0, 0.3, 1, 3.")] = 1.0,
    photons: Annotated[float, typer.Option(min=1, help="Counted in a pixel of 0.225 mm: the noise.")] = 500.0,
    bits: Annotated[int, typer.Option(help="8 or 16 bits a pixel.")] = 16,
    poses: Annotated[int, typer.Option(min=1, max=50, help="Of the bead phantom.")] = 5,
    missing: Annotated[float, typer.Option(min=0, max=0.95, help="Share of the plate's beads that are lost.")] = 0.0,
    cables: Annotated[int, typer.Option(min=0, max=20, help="Cables that lie on the plate.")] = 0,
) -> int:
    """Make the pictures that a calibration needs: plate, disc and beads in two planes; truth in OUT/truth.json."""
    from core.calibration.phantoms import BeadPhantom, DiscPlate, GridPlate
    from core.io.simulated_phantoms import TRUTH, write_simulated_phantoms
    from core.simulation.phantoms.chain import PhantomChain
    from core.simulation.phantoms.clutter import Clutter
    from core.simulation.phantoms.plate import Seating
    from core.simulation.phantoms.rig import RigSettings
    from core.simulation.phantoms.session import SessionSettings, make_session

    settings = SessionSettings(
        grid=_phantom(grid, GridPlate, "--grid"),
        disc=_phantom(disc, DiscPlate, "--disc"),
        beads=_phantom(beads, BeadPhantom, "--beads"),
        rig=RigSettings(height_px=size, level=level),
        chain=PhantomChain(bits=bits, photons=photons),
        seating=Seating(missing_share=missing),
        clutter=Clutter(cables=cables),
        poses=poses,
    )
    session = make_session(seed, settings)
    count = 0
    with progress("X-raying", 2 * (2 + len(settings.turns_deg) + poses)) as advance:
        for made in write_simulated_phantoms(out, session):
            count = made.done
            advance(made.done, f"{made.folder}/{made.name}")
    say(f"{out}: {count} pictures of {settings.rig.width_px} x {size} px, truth in {out / TRUTH}")
    return 0


def _phantom(name: str, kind: "type[Kind]", option: str) -> "Kind":
    """The phantom of a name or file, of the kind that an option wants.

    Raises:
        CalibrationError: there is no such phantom, or it does not read.
    """
    from core.io.phantom_files import KINDS, read_phantom

    found = read_phantom(name)
    if not isinstance(found, kind):
        is_a, wanted = (next(name for name, made in KINDS.items() if made is sort) for sort in (type(found), kind))
        raise typer.BadParameter(f"{name} is a {is_a}, not a {wanted}", param_hint=option)
    return found
