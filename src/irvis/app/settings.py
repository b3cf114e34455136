"""What `irvis app` is told: where it listens, and how much of the machine a visitor may take."""

from dataclasses import dataclass

from ..errors import IrvisError
from ..loopback import is_loopback

UPLOAD = 200_000_000
PIXELS = 40_000_000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Limits are per file (`max_upload`, bytes), per picture (`max_pixels`) and per server (`queue`)."""

    host: str = "127.0.0.1"
    port: int = 7860
    auth: tuple[str, str] | None = None
    """User and password."""
    max_upload: int = UPLOAD
    max_pixels: int = PIXELS
    queue: int = 16
    """Fusions that may wait; more are refused."""
    minutes: float = 30.0
    """Files of a visitor are removed so long after they were last used."""
    device: str = "cpu"

    def __post_init__(self) -> None:
        if not 0 <= self.port < 65536:
            raise IrvisError(f"--port is 0 to 65535, not {self.port}")
        for name in ("max_upload", "max_pixels", "queue"):
            if getattr(self, name) < 1:
                raise IrvisError(f"--{name.replace('_', '-')} is 1 or more, not {getattr(self, name)}")
        if not self.minutes > 0:
            raise IrvisError(f"--minutes is more than 0, not {self.minutes:g}")

    @property
    def outside(self) -> bool:
        """Whether other machines can reach the page."""
        return not is_loopback(self.host)

    @property
    def max_unpacked(self) -> int:
        """Bytes that a ZIP may hold in all."""
        return 4 * self.max_upload

    @property
    def max_kept(self) -> int:
        """Bytes of all visitors' files together; from then on uploads are refused until some are removed."""
        return 40 * self.max_upload
