"""What both cameras see now: the newest picture of each, whenever there is a newer one.

A visible picture begins a moment, and takes the newest infrared with it. Where visible comes more slowly than
infrared, or not at all, infrared begins moments too.
"""

import math
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from time import monotonic
from typing import Literal

from .capture import Capture, Shot

Condition = Literal["running", "stale", "lost", "missing"]
TICK = 0.5
"""Seconds without anything new after which the state is looked at again."""
PATIENCE = 1.5
"""Times infrared's usual step that a visible picture is waited for."""
GRACE = 0.01
"""Seconds that a visible picture waits for infrared that is just due: cameras of one rate then stay together."""
STALE = 1.0, 3.0
"""A picture is stale after so many seconds, and so many times the usual step."""


@dataclass(frozen=True, eq=False, kw_only=True)
class Seen:
    """The newest picture of one side. `fresh`: not in the moment before."""

    shot: Shot | None
    condition: Condition
    fresh: bool
    age: float = 0.0
    """Seconds since it came."""

    @property
    def there(self) -> bool:
        """Whether it is to be shown."""
        return self.shot is not None and self.condition in ("running", "stale")


@dataclass(frozen=True, eq=False, kw_only=True)
class Moment:
    """Both sides. `fresh`: a picture came; otherwise only the state may have changed."""

    visible: Seen
    infrared: Seen
    fresh: bool

    @property
    def taken(self) -> float:
        """When the newest fresh picture in it was taken."""
        fresh = [side.shot.taken for side in (self.visible, self.infrared) if side.fresh and side.shot is not None]
        shots = [side.shot.taken for side in (self.visible, self.infrared) if side.shot is not None]
        return max(fresh or shots)


def moments(visible: Capture, infrared: Capture, stop: threading.Event, hold: float) -> Iterator[Moment]:
    """Until `stop`, or until a file ends. `hold`: seconds that the last picture of a side is shown when no more come.

    Both captures ring one bell. Who asks late skips what came meanwhile.
    """
    seen = {visible.name: 0, infrared.name: 0}
    while not stop.is_set():
        over = "ended" in (visible.state, infrared.state)
        with visible.bell:
            fresh = _awaited(visible, infrared, seen, stop, 0.0 if over else TICK)
            sides = [_seen(one, seen[one.name], hold) for one in (visible, infrared)]
        if over and not fresh:
            return
        if all(side.shot is None for side in sides) or stop.is_set():
            continue
        for capture, side in zip((visible, infrared), sides, strict=True):
            if side.fresh and side.shot is not None:
                seen[capture.name] = side.shot.number
                capture.used += 1
        yield Moment(visible=sides[0], infrared=sides[1], fresh=fresh)


def _awaited(
    visible: Capture, infrared: Capture, seen: dict[str, int], stop: threading.Event, most: float
) -> bool:  # fmt: skip
    """Wait, `most` seconds, for a picture that begins a moment; whether one came. Called with the bell in hand."""
    until = monotonic() + most
    while not stop.is_set():
        now = monotonic()
        first, second = visible.newest(now), infrared.newest(now)
        new_visible = first is not None and first.number > seen[visible.name]
        new_infrared = second is not None and second.number > seen[infrared.name]
        more = _worth(visible, infrared, new_infrared) - now if most and new_visible != new_infrared else 0.0
        if (new_visible or new_infrared) and more <= 0:
            return True
        if now >= until or "ended" in (visible.state, infrared.state):
            return False
        due = [until, *(moment for one in (visible, infrared) if (moment := one.due()) is not None)]
        visible.bell.wait(max(min(*due, now + more if new_visible or new_infrared else until) - now, 0.001))
    return False


def _worth(visible: Capture, infrared: Capture, new_infrared: bool) -> float:
    """Until when it is worth while to wait for the other side, where one of them has a new picture."""
    now, step = monotonic(), infrared.rate.step
    first, second = (
        -math.inf if (shot := one.newest(now)) is None else shot.taken + one.delay for one in (visible, infrared)
    )
    if new_infrared:
        return first + PATIENCE * step
    return first + GRACE if -math.inf < second + step <= first + GRACE else 0.0


def _seen(capture: Capture, number: int, hold: float) -> Seen:
    now = monotonic()
    shot = capture.newest(now)
    if shot is None:
        return Seen(shot=None, condition="missing", fresh=False)
    fresh, age = shot.number > number, max(0.0, now - shot.taken - capture.delay)
    return Seen(shot=shot, condition=condition_of(age, capture.rate.step, hold), fresh=fresh, age=age)


def condition_of(age: float, step: float, hold: float) -> Condition:
    """Of a picture `age` seconds old, of a stream with a picture every `step` seconds.

    Stale after 1 s and 3 steps, or `hold` where that is less; lost after `hold` seconds and 3 steps.
    """
    stale, lost = max(STALE[0], STALE[1] * step), max(hold, STALE[1] * step)
    return "lost" if age > lost else "stale" if age > min(stale, lost) else "running"
