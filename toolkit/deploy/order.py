"""In which order resources are deleted, and which are not because something that stays needs them."""

from collections.abc import Callable, Collection, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from graphlib import TopologicalSorter

from toolkit.deploy.state import Resource

WORKERS = 8


def kept_with(resources: Iterable[Resource], keep: Collection[str]) -> set[str]:
    """The URNs of `keep` that are there, with those of everything they need: dependencies, parents, provider.

    What a replacement left behind has the URN of its successor and stays with it. A URN that nothing has
    is ignored.
    """
    needs: dict[str, set[str]] = {}
    for resource in resources:
        needs.setdefault(resource.urn, set()).update(resource.needs)
    kept: set[str] = set()
    left = [urn for urn in keep if urn in needs]
    while left:
        urn = left.pop()
        if urn not in kept:
            kept.add(urn)
            left += [other for other in needs[urn] if other in needs]
    return kept


def delete_all(resources: Iterable[Resource], delete: Callable[[Resource], None]) -> None:
    """Delete in parallel, a resource only after everything that needs it. Raises the first error."""
    given = list(resources)
    by_urn: dict[str, list[int]] = {}
    for number, resource in enumerate(given):
        by_urn.setdefault(resource.urn, []).append(number)
    after: list[set[int]] = [set() for _ in given]
    for number, resource in enumerate(given):
        for other in _needed(resource, given, by_urn):
            after[other].add(number)
    in_parallel(given, delete, after)


def _needed(resource: Resource, given: list[Resource], by_urn: dict[str, list[int]]) -> Iterator[int]:
    """What the resource needs of what is given, by number.

    Of a live resource these are the live ones, and what was replaced only where there is no other: else
    dependencies that a program has turned round would wait for each other. A provider of before is needed
    by whoever it made, live or not.
    """
    for urn in resource.needs - {resource.urn}:
        found = by_urn.get(urn, [])
        live = [n for n in found if not given[n].delete]
        any_of_them = resource.delete or not live or given[live[0]].is_provider
        yield from found if any_of_them else live


def in_parallel(
    given: list[Resource], step: Callable[[Resource], None], after: list[set[int]] | None = None
) -> None:
    """Call `step` for each, after those whose numbers stand for it in `after`. Raises the first error."""
    order = TopologicalSorter({number: after[number] if after else () for number in range(len(given))})
    order.prepare()
    running: dict[Future[None], int] = {}
    with ThreadPoolExecutor(WORKERS) as pool:
        while order.is_active():
            for number in order.get_ready():
                running[pool.submit(step, given[number])] = number
            done, _ = wait(running, return_when=FIRST_COMPLETED)
            for future in done:
                future.result()
                order.done(running.pop(future))
