"""One check in a process that ends with it: `python -I -m toolkit.checker.child FOLDER`.

FOLDER holds the request and takes everything that the check writes; whoever started this removes it, and ends
whatever is left running. The answer is one line of JSON on standard output.
"""

import os
import sys
from pathlib import Path

import msgspec

from toolkit.checker.inprocess import (
    INIT_TIMEOUT_S,
    REHEARSAL_TIMEOUT_S,
    VALIDATOR_TIMEOUT_S,
    InProcessChecker,
)
from toolkit.checker.message import REQUEST, Answer, CheckRequest, brought_of, fit, unpack
from toolkit.checker.sandbox import UNSANDBOXED, level
from toolkit.contracts import CheckReport, to_json
from toolkit.errors import TfkitError

INIT_S, MIN_REHEARSAL_S = 40.0, 20.0
"""What init and the way to the answer leave of a check's time, for a rehearsal that says `slow` in time."""


def main(folder: Path) -> None:
    """Do the check of the request in the folder, and write the answer."""
    request = msgspec.json.decode((folder / REQUEST).read_bytes(), type=CheckRequest)
    try:
        answer = Answer(report=check(request, folder))
    except TfkitError as error:
        answer = Answer(error=f"{error.message} ({error.hint})" if error.hint else error.message)
    sys.stdout.buffer.write(to_json(answer))


def check(request: CheckRequest, folder: Path) -> CheckReport:
    """The report on the tree of a request, small enough for Lambda to carry."""
    tree = unpack(request)
    checker = InProcessChecker(
        folder,
        init_timeout_s=min(INIT_TIMEOUT_S, request.timeout_s),
        validator_timeout_s=min(VALIDATOR_TIMEOUT_S, request.timeout_s),
        rehearsal_timeout_s=min(REHEARSAL_TIMEOUT_S, max(MIN_REHEARSAL_S, request.timeout_s - INIT_S)),
        # The function is a sandbox by itself: what the kernel offers comes on top, and is not asked for.
        unsandboxed=UNSANDBOXED in os.environ or not level().confines,
        settings=request.settings,
        brought=brought_of(request, tree),
    )
    try:
        if not request.validators:
            return fit(CheckReport(tree=tree.hash, results=[checker.init(tree)]))
        return fit(checker.check(tree, request.validators, rehearse=request.rehearse))
    finally:
        checker.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
