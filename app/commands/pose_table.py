"""Actions of the Pose menu."""

from collections.abc import Callable

from app.commands.action import Action, Menu, with_body, with_study
from app.commands.deeds import Deeds

_NUDGES = (
    ("left", "Left in the view", ("Left",), (-1, 0, 0), (0, 0, 0)),
    ("right", "Right in the view", ("Right",), (1, 0, 0), (0, 0, 0)),
    ("up", "Up in the view", ("Up",), (0, -1, 0), (0, 0, 0)),
    ("down", "Down in the view", ("Down",), (0, 1, 0), (0, 0, 0)),
    ("away", "Along the ray, away", ("Ctrl+Up",), (0, 0, 1), (0, 0, 0)),
    ("near", "Along the ray, nearer", ("Ctrl+Down",), (0, 0, -1), (0, 0, 0)),
    ("tilt_up", "Turn about the view's x, up", ("Shift+Up",), (0, 0, 0), (-1, 0, 0)),
    ("tilt_down", "Turn about the view's x, down", ("Shift+Down",), (0, 0, 0), (1, 0, 0)),
    ("turn_left", "Turn about the view's y, left", ("Shift+Left",), (0, 0, 0), (0, 1, 0)),
    ("turn_right", "Turn about the view's y, right", ("Shift+Right",), (0, 0, 0), (0, -1, 0)),
    ("roll_left", "Roll about the ray, left", ("Ctrl+Left",), (0, 0, 0), (0, 0, -1)),
    ("roll_right", "Roll about the ray, right", ("Ctrl+Right",), (0, 0, 0), (0, 0, 1)),
)


def _nudge(move: tuple[int, int, int], turn: tuple[int, int, int]) -> Callable[[Deeds], None]:
    return lambda do: do.pose.nudge(move, turn)


POSE_ACTIONS = (
    *(
        Action(
            id=f"pose.{name}",
            label=label,
            menu=Menu.POSE,
            submenu="Nudge",
            keys=keys,
            when=with_body,
            repeats=True,
            run=_nudge(move, turn),
        )
        for name, label, keys, move, turn in _NUDGES
    ),
    Action(
        id="pose.smaller",
        label="Smaller step",
        menu=Menu.POSE,
        keys=(",",),
        when=with_study,
        group=1,
        tip="0.1, 0.5, 1, 5 mm or deg",
        run=lambda do: do.pose.change_step(-1),
    ),
    Action(
        id="pose.larger",
        label="Larger step",
        menu=Menu.POSE,
        keys=(".",),
        when=with_study,
        group=1,
        tip="0.1, 0.5, 1, 5 mm or deg",
        run=lambda do: do.pose.change_step(1),
    ),
    Action(
        id="pose.mirror",
        label="Mirror pose",
        menu=Menu.POSE,
        keys=("M",),
        when=with_body,
        group=2,
        icon="mirror",
        tip="The pose that the active view cannot tell from this one",
        run=lambda do: do.pose.mirror(),
    ),
    Action(
        id="pose.reset",
        label="Reset to the nearest frame's pose",
        menu=Menu.POSE,
        keys=("Ctrl+R",),
        when=with_body,
        group=2,
        icon="reset",
        run=lambda do: do.pose.reset(),
    ),
    Action(
        id="pose.place",
        label="Place in the middle of the views",
        menu=Menu.POSE,
        keys=("Home",),
        when=with_body,
        group=2,
        icon="centre",
        run=lambda do: do.pose.place(),
    ),
    Action(
        id="pose.pick_pivot",
        label="Pick the pivot",
        menu=Menu.POSE,
        keys=("P",),
        when=with_body,
        group=3,
        tip="Click a point: turns go about it",
        run=lambda do: do.pose.pick_pivot(),
    ),
    Action(
        id="pose.centre_pivot",
        label="Pivot at the body's centre",
        menu=Menu.POSE,
        keys=("Shift+P",),
        when=with_body,
        group=3,
        run=lambda do: do.pose.centre_pivot(),
    ),
    Action(
        id="body.next",
        label="Next body",
        menu=Menu.POSE,
        keys=("Tab",),
        when=lambda now: now.several,
        group=4,
        run=lambda do: do.frames.next_body(1),
    ),
    Action(
        id="body.previous",
        label="Previous body",
        menu=Menu.POSE,
        keys=("Shift+Tab",),
        when=lambda now: now.several,
        group=4,
        run=lambda do: do.frames.next_body(-1),
    ),
)
