"""A queue hides a message for as long as the function that reads it may take, and for its further tries."""

from toolkit.local.model.bounds import number
from toolkit.local.model.links import Made, Wiring

TIMES = 6
MOST_SECONDS = 43_200
"""Six times the function's timeout, and what SQS takes at most:
https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html"""


def patient(made: list[Made], wiring: Wiring, notes: list[str]) -> list[Made]:
    """The instances, with a visibility timeout in seconds that suits the functions that read each queue.

    Lambda takes no queue whose timeout is shorter than the function's. One that was asked for and is long
    enough for that stays; `notes` tell what AWS recommends.
    """
    return [_patient(one, _timeout(one, made, wiring), notes) for one in made]


def _timeout(queue: Made, made: list[Made], wiring: Wiring) -> int:
    """The longest timeout among the functions that read a queue; none reads what is no queue."""
    readers = {a for name, a, b in wiring.ends if name == "lambda_reads_sqs" and b == queue.address}
    return max((number(one.values["timeout_seconds"]) for one in made if one.address in readers), default=0)


def _patient(queue: Made, timeout: int, notes: list[str]) -> Made:
    """The queue with enough patience for a function that takes up to `timeout` seconds."""
    wanted = min(timeout * TIMES, MOST_SECONDS)
    given = number(queue.values.get("visibility_seconds", "0"))
    if not timeout or given >= wanted:
        return queue
    name = queue.values["name"]
    if "visibility_seconds" in queue.wish.asked and given >= timeout:
        notes.append(
            f"The queue {name} hides a message for {given} seconds, as asked; AWS recommends {TIMES} times "
            f"the function's timeout, {wanted}."
        )
        return queue
    if "visibility_seconds" in queue.wish.asked:
        notes.append(
            f"The queue {name} hides a message for {wanted} seconds: Lambda takes no less than its timeout, "
            f"{timeout}, and AWS recommends {TIMES} times that."
        )
    return queue._replace(values={**queue.values, "visibility_seconds": str(wanted)})
