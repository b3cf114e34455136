"""What every runtime is made from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from torch import Tensor

from ..fuser import Fuser
from ..spec import Precision
from .collapse import REWRITERS


@dataclass(frozen=True, kw_only=True)
class RuntimeInput:
    """What a runtime is made of."""

    fuser: Fuser
    core: Any
    """The core as it was trained."""
    device: str
    precision: Precision
    error: float
    pairs: Callable[[], Sequence[tuple[Tensor, Tensor]]]
    """Pairs (plane, infrared) as the core sees them, for int8."""

    @cached_property
    def rewritten(self) -> Any:
        """The core rewritten for inference, where its method knows how; otherwise the core."""
        rewrite = REWRITERS.get(self.fuser.method.name)
        return rewrite(self.core, self.error) if rewrite else self.core

    @property
    def planes(self) -> int:
        """Channels of the visible plane that the core sees."""
        return 3 if self.fuser.spec.domain == "rgb" else 1
