"""Which validators a run asks, and what its result says of those that it did not ask."""

from toolkit.checker.registry import load_validators, not_proven, selected
from toolkit.checker.selection import Selection, from_text, without_rehearsal
from toolkit.contracts import CheckReport, RehearseDepth, Shape, SkippedCheck

NO_GATE = "the run ended before the gate was asked"
NO_REHEARSAL = "nothing was planned or applied: no rehearsal ran"
NO_END = "nothing was planned or applied as a whole: the rehearsal was {}"
NO_APPLY = "nothing was applied: the rehearsal went as far as the plan"
NO_MODEL = "the model was offline-composer, which is no language model but a set of recipes"


class Chosen(Shape, frozen=True):
    """The selection of a run, how deep the rehearsal in it goes, and what all of it would not prove."""

    selection: Selection = Selection(names=())
    depth: RehearseDepth = "off"
    unproven: list[str] = []

    def skipped(self, report: CheckReport | None) -> list[SkippedCheck]:
        """What did not run, with the reasons; `report` is the gate's last word, where it came to one."""
        names = dict.fromkeys([*self.selection.names, "rehearse"])
        none = [SkippedCheck(validator=name, reason=NO_GATE) for name in names]
        return [*(report.skipped if report else none), *self.selection.skipped]

    def not_proven(self, report: CheckReport | None, *models: str) -> list[str]:
        """What an `ok` of a run of these models, by name or id, does not say; printed with every result.

        `report` is the gate's last word, where it came to one.
        """
        points = list(self.unproven)
        ended = {result.validator: result.status for result in report.results} if report else {}
        if "rehearse" not in (ended or self.selection.names):
            points.append(NO_REHEARSAL)
        elif ended.get("rehearse") in ("unsupported", "slow"):
            points.append(NO_END.format(ended["rehearse"]))
        elif self.depth == "plan":
            points.append(NO_APPLY)
        if any(model.removeprefix("tfkit.").startswith("offline-composer") for model in models):
            points.append(NO_MODEL)
        return points


def choose_validators(text: str, rehearse: RehearseDepth) -> Chosen:
    """What runs here of a `Choice` as text, with the rehearsal to the depth that the request asks for.

    Raises `UsageError` for a validator that is unknown and `PlatformError` for one that cannot be loaded or a
    text that cannot be read: before a model works, which costs money.
    """
    selection = selected(from_text(text))
    if rehearse == "off":
        selection = without_rehearsal(selection)
    load_validators(selection.names)
    depth = rehearse if "rehearse" in selection.names else "off"
    return Chosen(selection=selection, depth=depth, unproven=not_proven(selection.names))
