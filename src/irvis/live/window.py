"""The fused picture in a window of this machine, by tkinter."""

from collections.abc import Callable
from typing import Any

import numpy as np
from PIL import Image

from ..errors import IrvisError
from . import views
from .session import Session

EVERY = 10
"""Milliseconds between two looks at what is newest."""


def open_window(title: str) -> Any:
    """A window of tkinter; an IrvisError where there is none to be had."""
    try:
        import tkinter
    except ImportError as error:
        raise IrvisError("--window needs tkinter (python3-tk): leave it out and open the page") from error
    try:
        window = tkinter.Tk()
    except tkinter.TclError as error:
        raise IrvisError(f"--window needs a display: {error}; leave it out and open the page") from error
    window.title(title)
    window.configure(background="black")
    return window


def show(session: Session, window: Any, seconds: float | None = None) -> None:
    """Until it is closed (or Q is pressed), the session ends, or so many seconds are over. 1 to 4 choose a view."""
    import tkinter

    label = tkinter.Label(window, borderwidth=0, background="black")
    label.pack(expand=True, fill="both")
    chosen: list[views.View] = ["fused"]
    for number, view in enumerate(views.VIEWS, 1):
        window.bind(str(number), _choosing(chosen, view))
    window.bind("q", lambda event: window.destroy())
    window.bind("<Escape>", lambda event: window.destroy())
    if seconds is not None:
        window.after(round(seconds * 1000), window.destroy)
    _follow(session, window, label, chosen, 0)
    window.mainloop()


def _choosing(chosen: list[views.View], view: views.View) -> Callable[[Any], None]:
    def choose(event: Any) -> None:
        chosen[0] = view

    return choose


def _follow(session: Session, window: Any, label: Any, chosen: list[views.View], number: int) -> None:
    """Show what is newest, if it is new; and again in a while."""
    import tkinter

    if session.over:
        window.destroy()
        return
    found = session.pictures.after(number, timeout=0)
    if found is not None:
        number, picture = found
        image = tkinter.PhotoImage(data=ppm(views.pixels_of(picture, chosen[0])))
        label.configure(image=image)
        label.image = image
    window.after(EVERY, lambda: _follow(session, window, label, chosen, number))


def ppm(pixels: views.Pixels, most: int = 1280) -> bytes:
    """As PPM, which tkinter reads without coding; at most so wide."""
    if pixels.shape[1] > most:
        height = round(pixels.shape[0] * most / pixels.shape[1])
        pixels = np.asarray(Image.fromarray(pixels).resize((most, height), Image.Resampling.BILINEAR))
    return b"P6 %d %d 255\n" % (pixels.shape[1], pixels.shape[0]) + pixels.tobytes()
