"""Two cameras in a loop of your own: read, fuse, show. Press q to stop.

    python webcam_loop.py 0 2                                 two webcams
    python webcam_loop.py 0 "v4l2src device=/dev/video2 ! videoconvert ! appsink"    a GStreamer pipeline

`irvis live 0 2` does this with time stamps, alignment, recording and a page; take this file if you need your own loop.
The cameras must be registered: the same pixel shows the same point of the scene.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np

import irvis

METHOD = "laplacian"


def opened(source: str) -> Any:
    """A camera by its number, a file, an address, or a GStreamer pipeline."""
    if source.isdigit():
        return cv2.VideoCapture(int(source))
    return cv2.VideoCapture(source, cv2.CAP_GSTREAMER) if "!" in source else cv2.VideoCapture(source)


def frames(visible: Any, infrared: Any) -> Iterator[np.ndarray]:
    """Fused BGR frames until one of the cameras ends."""
    while True:
        (seen_there, seen), (warm_there, warm) = visible.read(), infrared.read()
        if not (seen_there and warm_there):
            return
        warm = cv2.cvtColor(warm, cv2.COLOR_BGR2GRAY) if warm.ndim == 3 else warm
        if warm.shape != seen.shape[:2]:
            warm = cv2.resize(warm, (seen.shape[1], seen.shape[0]), interpolation=cv2.INTER_CUBIC)
        fused = irvis.fuse(cv2.cvtColor(seen, cv2.COLOR_BGR2RGB), warm, METHOD)
        yield cv2.cvtColor(fused, cv2.COLOR_RGB2BGR)


def shown(frame: np.ndarray) -> bool:
    """Show a frame in a window; false once q was pressed."""
    cv2.imshow("irvis", frame)
    return cv2.waitKey(1) != ord("q")


def main(visible: str, infrared: str, show: Callable[[np.ndarray], bool] = shown) -> None:
    for frame in frames(opened(visible), opened(infrared)):
        if not show(frame):
            break


if __name__ == "__main__":
    main(*sys.argv[1:3])
