"""`python -m toolkit` and the console script `tfkit`."""

import signal
import sys


def main() -> None:
    """Run the command line and exit with its code."""
    signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        from toolkit.cli.errors import run
        from toolkit.cli.root import cli
    except KeyboardInterrupt:  # so early that nothing has begun
        sys.exit(130)
    sys.exit(run(cli, sys.argv[1:]))


def _as_interrupt(_number: int, _frame: object) -> None:
    """Being told to end is like Ctrl-C: what is under way ends, and the state is whole."""
    raise KeyboardInterrupt


if __name__ == "__main__":
    main()
