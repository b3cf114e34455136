"""A ROS 2 node: two image topics in, the fused image out.

    python ros2_node.py --ros-args -p visible:=/camera/image_raw -p infrared:=/thermal/image_raw

Needs ROS 2 with rclpy, sensor_msgs and message_filters. The conversion of messages is tested without ROS; the node
itself was not run.
The cameras must be registered, and 16-bit images need a range (parameter `infrared_range`, "1%,99%" by default).
"""

from typing import Any

import numpy as np

import irvis

LAYOUTS = {"rgb8": (np.uint8, 3), "bgr8": (np.uint8, 3), "mono8": (np.uint8, 1), "mono16": (np.uint16, 1)}
SLOP = 0.05
"""Seconds by which the two time stamps may differ."""


def array_of(message: Any) -> np.ndarray:
    """The pixels of a sensor_msgs/Image: (h, w, 3) as RGB, or (h, w)."""
    kind = {"8UC1": "mono8", "16UC1": "mono16"}.get(message.encoding, message.encoding)
    if kind not in LAYOUTS:
        raise ValueError(f"the encoding {message.encoding} is not one of {', '.join(LAYOUTS)}")
    dtype, channels = LAYOUTS[kind]
    order = ">" if message.is_bigendian else "<"
    rows = np.frombuffer(bytes(message.data), np.uint8).reshape(message.height, message.step)
    size = np.dtype(dtype).itemsize * channels * message.width
    pixels = np.ascontiguousarray(rows[:, :size]).view(np.dtype(dtype).newbyteorder(order)).astype(dtype)
    image = pixels.reshape(message.height, message.width, channels)
    return image[..., 0] if channels == 1 else image[..., ::-1].copy() if kind == "bgr8" else image


def fused_array(visible: Any, infrared: Any, method: str, infrared_range: str) -> np.ndarray:
    """The fused image (h, w, 3) or (h, w) of two messages."""
    warm = array_of(infrared)
    return irvis.fuse(
        array_of(visible), warm, method, infrared_range=infrared_range if warm.dtype == np.uint16 else None
    )


def fill(message: Any, image: np.ndarray) -> Any:
    """Put an image into an empty sensor_msgs/Image."""
    image = np.ascontiguousarray(image)
    message.height, message.width = image.shape[:2]
    message.encoding = "rgb8" if image.ndim == 3 else "mono8"
    message.is_bigendian, message.step, message.data = 0, image.strides[0], image.tobytes()
    return message


def main() -> None:
    import message_filters
    import rclpy
    from rclpy.node import Node
    from sensor_msgs.msg import Image

    rclpy.init()
    node = Node("irvis")
    names = {"visible": "visible", "infrared": "infrared", "method": "laplacian", "infrared_range": "1%,99%"}
    asked = {name: node.declare_parameter(name, value).value for name, value in names.items()}
    publisher = node.create_publisher(Image, "fused", 1)

    def fuse(visible: Any, infrared: Any) -> None:
        message = fill(Image(), fused_array(visible, infrared, asked["method"], asked["infrared_range"]))
        message.header = visible.header
        publisher.publish(message)

    topics = [message_filters.Subscriber(node, Image, asked[side]) for side in ("visible", "infrared")]
    message_filters.ApproximateTimeSynchronizer(topics, 5, SLOP).registerCallback(fuse)
    rclpy.spin(node)


if __name__ == "__main__":
    main()
