"""A live session: two captures, the fusion that follows them, and all that looks on; each in a thread of its own."""

import threading
from collections.abc import Callable
from functools import partial
from time import monotonic

from ..errors import IrvisError
from ..fuser import Fuser
from . import views
from .capture import Capture, Shot
from .fusion import Fusing
from .latest import Newest
from .pairing import Moment, moments
from .place import Place
from .recording import Recorder
from .sources import Opened, Taking, opened_file, opened_live
from .timing import Clock, Delays, Rate
from .views import Picture
from .wanted import Wanted

FIRST = 15.0
"""Seconds for the first pictures of both sources to come."""


class Session:
    """Starts with `start`, ends with `stop`; `pictures` has the newest picture meanwhile.

    tell: gets lines for the user, from several threads.
    """

    def __init__(
        self, wanted: Wanted, fuser: Fuser, *, device: str = "cpu", tell: Callable[[str], None] = print
    ) -> None:
        self.wanted, self.fuser, self.tell = wanted, fuser, tell
        self.pictures, self.gallery = Newest[Picture](), views.Gallery()
        self.rate, self.fused = Rate(), 0
        self.to_fused, self.to_sent = Delays(), Delays()
        self.problem = ""
        self.clients = 0
        self.clock = Clock(sum(place.kind == "file" for place in (wanted.visible, wanted.infrared)) or 1)
        bell = threading.Condition()
        self.visible = self._capture("visible", wanted.visible, bell, max(0.0, -wanted.offset))
        self.infrared = self._capture("infrared", wanted.infrared, bell, max(0.0, wanted.offset))
        self.fusing = Fusing(wanted, fuser, device, tell)
        self.recorders = _recorders(wanted, tell)
        self.begun = monotonic()
        self._recording = False
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="fuse", daemon=True)

    @property
    def captures(self) -> tuple[Capture, Capture]:
        """Visible and infrared."""
        return self.visible, self.infrared

    @property
    def over(self) -> bool:
        """Whether nothing more will be fused."""
        return self._stop.is_set()

    def start(self) -> None:
        """Open both sources and begin; an IrvisError where one of them is not there."""
        for capture in self.captures:
            capture.start()
        if not self.wanted.wait:
            self._await_first()
        self.begun = monotonic()
        self._thread.start()

    def wait(self, seconds: float | None = None) -> bool:
        """Until it is over, or for so long; whether it is over."""
        return self._stop.wait(seconds)

    def stop(self) -> None:
        """End it, and finish all files."""
        self._stop.set()
        self.clock.give_up()
        for capture in self.captures:
            capture.stop()
        with self.visible.bell:
            self.visible.bell.notify_all()
        if self._thread.is_alive():
            self._thread.join(10)
        self.pictures.close()
        for capture in self.captures:
            capture.join(0.5)
        for recorder in self.recorders.values():
            recorder.close()

    # ------------------------------------------------------------------------------------------ opening

    def _capture(self, name: str, place: Place, bell: threading.Condition, delay: float) -> Capture:
        infrared, wanted = name == "infrared", self.wanted
        taking = Taking(
            gray=infrared, color=wanted.color, sensing=wanted.following.sensing, timeout=wanted.timeout,
            loop=wanted.loop,
        )  # fmt: skip

        def open(size: tuple[int, int] | None) -> Opened:
            if place.kind == "file":
                return opened_file(place, taking, self.clock, self._lap, capture.stopping)
            try:
                return opened_live(place, taking, size, capture.stopping)
            except Exception as error:  # what is told of it has no password
                raise IrvisError(str(error).replace(place.address, place.shown)) from None

        capture = Capture(
            name, open, bell, delay=delay, again=place.kind != "file", wait=wanted.wait, tell=self.tell
        )  # fmt: skip
        return capture

    def _lap(self) -> float | None:
        """Seconds after which files begin anew: those of the shorter one, so that they stay together."""
        known = [capture.duration for capture in self.captures if capture.duration is not None]
        return min(known, default=None)

    def _await_first(self) -> None:
        until = monotonic() + max(FIRST, 2 * self.wanted.timeout)
        with self.visible.bell:
            self.visible.bell.wait_for(
                lambda: all(one.captured for one in self.captures) or any(map(_gone, self.captures)),
                until - monotonic(),
            )
        missing = sorted((one for one in self.captures if not one.captured), key=lambda one: not _gone(one))
        if missing:
            self.stop()
            raise IrvisError(self._absent(missing[0]))

    def _absent(self, capture: Capture) -> str:
        place: Place = getattr(self.wanted, capture.name)
        problem = capture.problem or "nothing came"
        named = problem if place.shown in problem else f"{place.shown}: {problem}"
        again = "" if place.kind == "file" else "; --wait waits for it"
        return f"{capture.name}: {named}{again}"

    # ------------------------------------------------------------------------------------------ fusing

    def _run(self) -> None:
        try:
            for moment in moments(self.visible, self.infrared, self._stop, self.wanted.hold):
                self._show(moment)
        except IrvisError as error:
            self.problem = str(error)
        except Exception as error:
            self.problem = f"{type(error).__name__}: {error}"
        finally:
            self._stop.set()

    def _show(self, moment: Moment) -> None:
        picture = self.fusing(moment)
        if self.fusing.paired and not self._recording:
            self._begin_recording(moment)
        if moment.fresh:
            self.fused += 1
            self.rate.add(monotonic())
            self.to_fused.add(moment.taken)
            if "fused" in self.recorders:
                self.recorders["fused"].offer(picture.fused, moment.taken)
        self.pictures.put(picture)

    def _begin_recording(self, moment: Moment) -> None:
        """With the first pair, all files begin at one moment."""
        self._recording, begun = True, moment.taken
        for name, recorder in self.recorders.items():
            capture = self.infrared if name == "infrared" else self.visible
            recorder.begin(begun, capture.claimed or None)
            shot = getattr(moment, name).shot if name != "fused" else None
            if shot is not None:
                recorder.offer(shot.frame.samples, begun)
                capture.listeners.append(partial(_recorded, recorder, shot.number))


def _recorders(wanted: Wanted, tell: Callable[[str], None]) -> dict[str, Recorder]:
    found: dict[str, Recorder] = {}
    if wanted.out is not None:
        found["fused"] = Recorder(wanted.out, codec=wanted.codec, crf=wanted.crf, tell=tell)
    if wanted.raw is not None:
        found["visible"] = Recorder(wanted.raw / "visible.mkv", crf=RAW_QUALITY, tell=tell)
        found["infrared"] = Recorder(wanted.raw / "infrared.mkv", codec="ffv1", tell=tell)
    return found


RAW_QUALITY = 16.0
"""Of H.264: hardly to be told from the original. Infrared is kept exactly."""


def _recorded(recorder: Recorder, before: int, shot: Shot) -> None:
    """A picture that came after the first pair."""
    if shot.number > before:
        recorder.offer(shot.frame.samples, shot.taken)


def _gone(capture: Capture) -> bool:
    return capture.state == "failed"
