"""Actions of the View, Review and Help menus."""

from collections.abc import Callable

from app.commands.action import Action, Menu, with_body, with_trial
from app.commands.deeds import Deeds


def _maximise(number: int) -> Callable[[Deeds], None]:
    return lambda do: do.views.maximise(number - 1 if number else None)


def _gizmo(mode: str) -> Callable[[Deeds], None]:
    return lambda do: do.views.gizmo(mode)


def _preset(name: str) -> Callable[[Deeds], None]:
    return lambda do: do.views.preset(name)


VIEW_ACTIONS = (
    *(
        Action(
            id=f"view.only_{number}",
            label=label,
            menu=Menu.VIEW,
            keys=(str(number),),
            when=with_trial,
            run=_maximise(number),
        )
        for number, label in ((1, "View A large"), (2, "View B large"), (3, "3D scene large"), (0, "All views"))
    ),
    Action(
        id="view.fit",
        label="Fit the pictures",
        menu=Menu.VIEW,
        keys=("Ctrl+0",),
        when=with_trial,
        icon="fit",
        group=1,
        run=lambda do: do.views.fit(),
    ),
    Action(
        id="view.zoom_in",
        label="Zoom in",
        menu=Menu.VIEW,
        keys=("+", "="),
        when=with_trial,
        group=1,
        repeats=True,
        run=lambda do: do.views.zoom(1.25),
    ),
    Action(
        id="view.zoom_out",
        label="Zoom out",
        menu=Menu.VIEW,
        keys=("-",),
        when=with_trial,
        group=1,
        repeats=True,
        run=lambda do: do.views.zoom(0.8),
    ),
    Action(
        id="view.overlay",
        label="Next overlay: outline, fill, X-ray, off",
        menu=Menu.VIEW,
        keys=("O",),
        when=with_body,
        icon="overlay",
        group=2,
        run=lambda do: do.views.next_overlay(),
    ),
    Action(
        id="view.blink",
        label="Blink the overlay",
        menu=Menu.VIEW,
        keys=("B",),
        when=with_body,
        group=2,
        checkable=True,
        tip="Picture with and without overlay in turn; hold H to hide it by hand",
        run=lambda do: do.views.blink(),
    ),
    Action(
        id="view.invert",
        label="Invert the pictures",
        menu=Menu.VIEW,
        keys=("I",),
        when=with_trial,
        group=3,
        checkable=True,
        run=lambda do: do.views.invert(),
    ),
    Action(
        id="view.edges",
        label="Show edges",
        menu=Menu.VIEW,
        keys=("D",),
        when=with_trial,
        group=3,
        checkable=True,
        run=lambda do: do.views.edges(),
    ),
    Action(
        id="view.residual",
        label="Show what is left: seen minus predicted",
        menu=Menu.VIEW,
        keys=("S",),
        when=with_body,
        icon="residual",
        group=3,
        checkable=True,
        tip="Middle grey where the model explains the picture; orange too bright, blue too dark",
        run=lambda do: do.views.residual(),
    ),
    Action(
        id="view.distances",
        label="Colour the outline by the distance of the edge",
        menu=Menu.VIEW,
        keys=("C",),
        when=with_body,
        icon="distances",
        group=3,
        checkable=True,
        tip="How far (px, mm) the picture's edge is from the outline",
        run=lambda do: do.views.distances(),
    ),
    Action(
        id="view.auto_window",
        label="Automatic window and level",
        menu=Menu.VIEW,
        keys=("Shift+W",),
        when=with_trial,
        group=3,
        run=lambda do: do.views.auto_window(),
    ),
    Action(
        id="view.epipolar",
        label="Show the cursor's ray in the other view",
        menu=Menu.VIEW,
        keys=("L",),
        when=with_trial,
        group=3,
        checkable=True,
        run=lambda do: do.views.epipolar(),
    ),
    *(
        Action(
            id=f"gizmo.{mode}",
            label=label,
            menu=Menu.VIEW,
            keys=(key,),
            when=with_body,
            group=4,
            icon=icon,
            run=_gizmo(mode),
        )
        for mode, label, key, icon in (
            ("translate", "Translate handles", "W", "translate"),
            ("rotate", "Rotate handles", "E", "rotate"),
            ("none", "No handles", "Q", ""),
        )
    ),
    Action(
        id="view.uncertainty",
        label="Show the uncertainty in the 3D scene",
        menu=Menu.VIEW,
        keys=("U",),
        when=with_trial,
        icon="uncertainty",
        group=4,
        checkable=True,
        tip="The region that holds the body's pivot with 90 % chance, drawn larger by the factor that is said",
        run=lambda do: do.views.uncertainty(),
    ),
    *(
        Action(
            id=f"camera.{name}",
            label=label,
            menu=Menu.VIEW,
            submenu="3D camera",
            keys=keys,
            when=with_trial,
            group=5,
            run=_preset(name),
        )
        for name, label, keys in (
            ("fit", "Everything", ("Shift+Z",)),
            ("model", "Zoom to the model", ("Z",)),
            ("A", "From source A", ("Shift+1",)),
            ("B", "From source B", ("Shift+2",)),
            ("front", "Front", ()),
            ("side", "Side", ()),
            ("top", "Top", ()),
        )
    ),
    Action(
        id="theme.dark",
        label="Dark",
        menu=Menu.VIEW,
        submenu="Theme",
        group=6,
        run=lambda do: do.views.theme(dark=True),
    ),
    Action(
        id="theme.light",
        label="Light",
        menu=Menu.VIEW,
        submenu="Theme",
        group=6,
        run=lambda do: do.views.theme(dark=False),
    ),
)

REVIEW_ACTIONS = (
    Action(
        id="frame.next",
        label="Next frame",
        menu=Menu.REVIEW,
        keys=("PgDown",),
        when=with_trial,
        icon="next",
        repeats=True,
        run=lambda do: do.frames.step(1),
    ),
    Action(
        id="frame.previous",
        label="Previous frame",
        menu=Menu.REVIEW,
        keys=("PgUp",),
        when=with_trial,
        icon="previous",
        repeats=True,
        run=lambda do: do.frames.step(-1),
    ),
    Action(
        id="frame.first",
        label="First frame",
        menu=Menu.REVIEW,
        keys=("Ctrl+PgUp",),
        when=with_trial,
        icon="first",
        run=lambda do: do.frames.first(),
    ),
    Action(
        id="frame.last",
        label="Last frame",
        menu=Menu.REVIEW,
        keys=("Ctrl+PgDown",),
        when=with_trial,
        icon="last",
        run=lambda do: do.frames.last(),
    ),
    Action(
        id="frame.doubtful",
        label="Next doubtful frame",
        menu=Menu.REVIEW,
        keys=("N",),
        when=with_body,
        icon="doubtful",
        group=1,
        tip="No pose, a proposal in doubt, a risk above the limit, or a low score",
        run=lambda do: do.frames.next_doubtful(),
    ),
    Action(
        id="frame.risky",
        label="Next frame above the risk",
        menu=Menu.REVIEW,
        keys=("Shift+N",),
        when=with_body,
        icon="risky",
        group=1,
        tip="The next pose, stored or proposed, whose chance of an error above 1 mm or 1 deg exceeds the limit",
        run=lambda do: do.frames.next_risky(),
    ),
    Action(
        id="frame.play",
        label="Play",
        menu=Menu.REVIEW,
        keys=("Ctrl+Space",),
        when=with_trial,
        icon="play",
        group=1,
        run=lambda do: do.frames.play(),
    ),
)

HELP_ACTIONS = (
    Action(
        id="help.shortcuts",
        label="Keys and mouse",
        menu=Menu.HELP,
        keys=("F1",),
        icon="keyboard",
        run=lambda do: do.views.shortcuts(),
    ),
    Action(
        id="help.first_minute",
        label="First minute",
        menu=Menu.HELP,
        run=lambda do: do.views.first_minute(),
    ),
    Action(id="help.log", label="Log…", menu=Menu.HELP, group=1, run=lambda do: do.views.log()),
    Action(id="help.about", label="About Duoscope", menu=Menu.HELP, group=1, run=lambda do: do.views.about()),
)
