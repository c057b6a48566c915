"""Starts one child so that it cannot outlive its parent; run as a script, then replaced by exec.

`python launch.py [--as-user] SIGNAL PARENT_PID COMMAND…`: the kernel sends SIGNAL to the child
when its parent dies. With --as-user (only as root) the command runs in a user namespace where it
is an ordinary user: PostgreSQL refuses to run as root, and this needs no account and no access
rights beyond root's own, so a checkout under a 0700 home works.

Standard library only, and no import of vigie: it starts in 20 ms.
"""

import ctypes
import os
import signal
import sys

CLONE_NEWUSER = 0x10000000
PR_SET_PDEATHSIG = 1
UNPRIVILEGED_ID = 1000


def main(arguments: list[str]) -> None:
    """Set up this process as the parent asked, then become the command."""
    libc = ctypes.CDLL(None, use_errno=True)
    if arguments[0] == "--as-user":
        arguments = arguments[1:]
        _become_ordinary(libc)
    death, parent, command = int(arguments[0]), int(arguments[1]), arguments[2:]
    # After the namespace: a change of credentials clears the death signal.
    libc.prctl(PR_SET_PDEATHSIG, death, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent died while its child started")
    for ignored in (signal.SIGPIPE, signal.SIGINT):
        signal.signal(ignored, signal.SIG_DFL)
    os.execv(command[0], command)  # noqa: S606 - becoming the command is the point


def _become_ordinary(libc: ctypes.CDLL) -> None:
    uid, gid = os.getuid(), os.getgid()
    if libc.unshare(CLONE_NEWUSER) != 0:
        code = ctypes.get_errno()
        sys.exit(
            f"user namespaces are closed here ({os.strerror(code)}): "
            "run Vigie as an ordinary user, or set VIGIE_DATABASE_URL to a PostgreSQL of yours"
        )
    for path, text in (
        ("/proc/self/setgroups", "deny"),
        ("/proc/self/gid_map", f"{UNPRIVILEGED_ID} {gid} 1"),
        ("/proc/self/uid_map", f"{UNPRIVILEGED_ID} {uid} 1"),
    ):
        with open(path, "w") as file:
            file.write(text)
    os.setgid(UNPRIVILEGED_ID)
    os.setuid(UNPRIVILEGED_ID)


if __name__ == "__main__":
    main(sys.argv[1:])
