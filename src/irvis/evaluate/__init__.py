"""Fuse, judge and compare: methods, folders of other people's results and controls, over a data set.

`entries` says what stands in the table, `judging` makes the numbers pair by pair, `statistics` what they say
together, `numbers` what programs read, `plots`, `strips` and `report` what people look at.
"""

from importlib.util import find_spec

from ..errors import IrvisError

if not (find_spec("scipy") and find_spec("matplotlib")):
    raise IrvisError("an evaluation needs an extra: pip install 'irvis[evaluate]'")
