"""A stream to a file, in a thread of its own: a file that cannot keep up loses frames, and nothing waits for it."""

import threading
from collections import deque
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

from ..errors import IrvisError
from ..video.frame import Samples
from ..video.writer import Writer

ROOM = 192 * 2**20
"""Bytes of frames that may wait to be written, and"""
FEWEST = 8
"""frames that may wait, however large they are."""
USUAL = Fraction(25)
"""Frames a second, where a source says nothing."""


class Recorder:
    """One file. Frames are shown at the times at which they came; `problem` says why it gave up.

    Parameters
    ----------
    path: see `video.Writer`; it appears under its name when the session ends.
    codec, crf: see `video.Writer`.
    tell: gets a line at once when it gives up.
    """

    def __init__(
        self, path: Path, *, codec: str | None = None, crf: float | None = None,
        tell: Callable[[str], None] = lambda line: None,
    ) -> None:  # fmt: skip
        self.path, self.codec, self.crf, self.tell = path, codec, crf, tell
        self.written = self.dropped = 0
        self.problem = ""
        self._frames = deque[tuple[Samples, Fraction]]()
        self._bytes = 0
        self._bell = threading.Condition()
        self._begun: float | None = None
        self._rate = USUAL
        self._closing = False
        self._thread = threading.Thread(target=self._run, name=f"record {path.name}", daemon=True)

    def begin(self, moment: float, rate: Fraction | None) -> None:
        """The file begins at this moment of the monotonic clock. `rate`: frames a second, about."""
        self._begun, self._rate = moment, rate or USUAL
        self._thread.start()

    @property
    def begun(self) -> bool:
        """Whether frames are taken."""
        return self._begun is not None

    def offer(self, samples: Samples, taken: float) -> None:
        """A frame; comes back at once. It is left out where too many wait."""
        if self._begun is None or self.problem or self._closing:
            return
        with self._bell:
            if len(self._frames) >= FEWEST and self._bytes + samples.nbytes > ROOM:
                self.dropped += 1
                return
            time = Fraction(round(max(0.0, taken - self._begun) * 1_000_000), 1_000_000)
            self._frames.append((samples, time))
            self._bytes += samples.nbytes
            self._bell.notify()

    def close(self, timeout: float = 60.0) -> None:
        """Write what waits, and finish the file."""
        if self._begun is None:
            return
        with self._bell:
            self._closing = True
            self._bell.notify()
        self._thread.join(timeout)
        if self._thread.is_alive():
            self.problem = f"{self.path} was not finished within {timeout:g} s"

    @property
    def told(self) -> str:
        """What became of it."""
        if self.problem:
            return f"failed: {self.problem}"
        lost = f", {self.dropped} left out: it could not keep up" if self.dropped else ""
        return f"wrote {self.path}: {self.written} frames{lost}" if self.written else f"{self.path}: nothing to write"

    def _run(self) -> None:
        writer: Writer | None = None
        try:
            one = self._next()
            if one is None:
                return
            size = one[0].shape[0], one[0].shape[1]
            writer = Writer(self.path, rate=self._rate, size=size, codec=self.codec, crf=self.crf)
            with writer:
                while one is not None:
                    writer.write(*one)
                    self.written = writer.frames
                    one = self._next()
        except Exception as error:  # a full disk, an encoder: the display goes on
            self._give_up(error, None if writer is None else writer.part)

    def _next(self) -> tuple[Samples, Fraction] | None:
        with self._bell:
            self._bell.wait_for(lambda: self._frames or self._closing)
            if not self._frames:
                return None
            samples, time = self._frames.popleft()
            self._bytes -= samples.nbytes
            return samples, time

    def _give_up(self, error: Exception, part: Path | None) -> None:
        text = str(error) if isinstance(error, IrvisError) else f"{type(error).__name__}: {error}"
        if part is not None:
            text += f" What was written is {part}"
        with self._bell:
            self.problem = " ".join(text.split())
            self._frames.clear()
            self._bytes = 0
        self.tell(f"recording failed: {self.problem}")
