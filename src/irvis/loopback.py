"""Pages for this machine alone: which names mean it, and a page that runs its own script and style and nothing else."""

import re
from base64 import b64encode
from hashlib import sha256
from importlib.resources import files
from ipaddress import ip_address

HOME = "127.0.0.1"


def is_loopback(host: str) -> bool:
    """Whether a host's name or address is this machine's own."""
    return ip_address(host.strip("[]")).is_loopback if is_address(host) else host.lower() == "localhost"


def is_address(host: str) -> bool:
    """Whether it is an IP address, not a name."""
    try:
        ip_address(host.strip("[]"))
    except ValueError:
        return False
    return True


def hostname_of(host: str) -> str:
    """A Host header without its port."""
    return re.sub(r":\d+$", "", host)


def names_us(host: str) -> bool:
    """Whether a request's Host header names this machine: a foreign name that leads here is a trick (DNS rebinding)."""
    return is_loopback(hostname_of(host))


def page_of(package: str) -> tuple[bytes, str]:
    """page.html of a package, with one script and one style, and the policy (CSP) that lets only these run."""
    page = files(package).joinpath("page.html").read_bytes()
    script, style = (
        b64encode(sha256(page.split(f"<{tag}>".encode())[1].split(f"</{tag}>".encode())[0]).digest()).decode()
        for tag in ("script", "style")
    )
    policy = (
        f"default-src 'none'; script-src 'sha256-{script}'; style-src 'sha256-{style}'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return page, policy
