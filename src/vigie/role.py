"""`vigie run ROLE`, without the rest of the command line: after a crash each second counts."""

import asyncio
import os
import sys

from vigie.core.errors import SetupError, VigieError


def start(role: str) -> None:
    """Run one role in this process until told to stop. Raises SetupError."""
    from vigie.app import ROLES, run_role
    from vigie.core.heartbeat import beating

    if role not in ROLES:
        raise SetupError(f"There is no role {role!r}: choose one of {', '.join(ROLES)}.")
    import uvloop

    os.umask(0o077)
    uvloop.install()
    asyncio.run(beating(run_role(role)))


def main() -> None:
    """As the command line would: a known failure is one line and exit code 1."""
    try:
        start(sys.argv[2])
    except VigieError as error:
        sys.stderr.write(f"vigie: {error.detail}\n")
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(130)
