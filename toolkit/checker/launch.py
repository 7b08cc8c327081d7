"""Started as a script in front of terraform: sets limits on itself, then becomes terraform.

A launcher instead of `preexec_fn`, which is not safe in a process with threads. It imports the standard
library only, so it starts in 15 ms with `python -I -S`. Arguments: name=soft value pairs, `--`, the command.
Sizes are bytes, `RLIMIT_CPU` seconds.
"""

import os
import resource
import sys


def main(arguments: list[str]) -> None:
    """Lower the limits named and execute the command; never raises a limit, never returns."""
    cut = arguments.index("--")
    for pair in arguments[:cut]:
        name, _, wanted = pair.partition("=")
        limit = getattr(resource, name)
        hard = resource.getrlimit(limit)[1]
        value = int(wanted) if hard == resource.RLIM_INFINITY else min(int(wanted), hard)
        try:
            resource.setrlimit(limit, (value, value))
        except (OSError, ValueError):
            # macOS does not take RLIMIT_AS; time, CPU and file size hold there all the same.
            if name != "RLIMIT_AS":
                raise
    command = arguments[cut + 1 :]
    os.execve(command[0], command, dict(os.environ))  # noqa: S606 - no shell is wanted


if __name__ == "__main__":
    main(sys.argv[1:])
