"""The classes of COCO, which most detectors are trained on: 80 names, and the numbers up to 90 that they have there."""

COCO = [
    "person", "bicycle", "car", "motorcycle", "airplane", "bus", "train", "truck", "boat", "traffic light",
    "fire hydrant", "stop sign", "parking meter", "bench", "bird", "cat", "dog", "horse", "sheep", "cow",
    "elephant", "bear", "zebra", "giraffe", "backpack", "umbrella", "handbag", "tie", "suitcase", "frisbee", "skis",
    "snowboard", "sports ball", "kite", "baseball bat", "baseball glove", "skateboard", "surfboard",
    "tennis racket", "bottle", "wine glass", "cup", "fork", "knife", "spoon", "bowl", "banana", "apple", "sandwich",
    "orange", "broccoli", "carrot", "hot dog", "pizza", "donut", "cake", "chair", "couch", "potted plant", "bed",
    "dining table", "toilet", "tv", "laptop", "mouse", "remote", "keyboard", "cell phone", "microwave", "oven",
    "toaster", "sink", "refrigerator", "book", "clock", "vase", "scissors", "teddy bear", "hair drier",
    "toothbrush",
]  # fmt: skip
_UNUSED = {0, 12, 26, 29, 30, 45, 66, 68, 69, 71, 83}
_NUMBERS = [number for number in range(91) if number not in _UNUSED]
COCO_PLACES = [_NUMBERS.index(number) if number not in _UNUSED else -1 for number in range(91)]
"""COCO's own number, 0 to 90 → place in `COCO`, -1 for those without a class."""
