"""Why a calibration picture is refused: one kind a failure, each with its own sentence."""

from enum import Enum
from typing import final

from core.errors import CalibrationError


class Fault(Enum):
    """What is wrong; the value is the short name in reports."""

    SATURATED = "saturated"
    TOO_FEW_BEADS = "too few beads"
    NO_LATTICE = "no square lattice"
    WRONG_PHANTOM = "wrong phantom"
    FLIPPED = "flipped or turned plate"
    AMBIGUOUS_ORIGIN = "ambiguous origin"
    SMALL_FIELD = "small field"
    MARKER_HIDDEN = "orientation bead hidden"
    UNEQUAL_SIZES = "unequal sizes"
    PLATE_MOVED = "plate moved between pictures"
    SWAPPED_PLANES = "planes A and B swapped"
    NOT_A_PHANTOM = "a picture of something else"
    NO_DISC = "no disc"
    CUT_DISC = "disc cut by the edge of the field"
    OTHER_SIZE = "made for pictures of another size"
    STALE = "solved with other intrinsics"
    NOT_DETERMINED = "not determined"


@final
class CalibrationFaultError(CalibrationError):
    """A calibration that cannot be made from these pictures; the message is a sentence for people."""

    def __init__(self, fault: Fault, sentence: str) -> None:
        super().__init__(sentence)
        self.fault = fault
