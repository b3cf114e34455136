"""Moving pictures: streams in (`source`), pairs by time (`pairing`), steady gray (`steady`), files out (`writer`).

PyAV is imported only by what opens or writes a video file.
"""
