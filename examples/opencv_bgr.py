"""Fuse with OpenCV on both ends: BGR in, BGR out.

    python opencv_bgr.py visible.jpg infrared.png fused.png

OpenCV keeps colours as blue, green, red; irvis expects red, green, blue.
"""

import sys

import cv2
import numpy as np

import irvis


def fuse_bgr(visible: np.ndarray, infrared: np.ndarray, method: str = "encdec") -> np.ndarray:
    """Fuse a BGR image (h, w, 3) and a gray one (h, w), both uint8 and of one size; the result is BGR."""
    fused = irvis.fuse(cv2.cvtColor(visible, cv2.COLOR_BGR2RGB), infrared, method)
    return cv2.cvtColor(fused, cv2.COLOR_RGB2BGR)


def main(visible: str, infrared: str, out: str) -> None:
    seen, warm = cv2.imread(visible, cv2.IMREAD_COLOR), cv2.imread(infrared, cv2.IMREAD_GRAYSCALE)
    if seen is None or warm is None:
        sys.exit(f"{visible if seen is None else infrared} cannot be read.")
    if seen.shape[:2] != warm.shape:
        sys.exit("The images differ in size: align them first (irvis align).")
    cv2.imwrite(out, fuse_bgr(seen, warm))


if __name__ == "__main__":
    main(*sys.argv[1:4])
