"""Decides the next step from the transcript: list, read, write, init, validate, mend, close.

`next_step` is a pure function. It never goes on for ever: findings that come back after a mend, a refused
file, and more turns than `MOST_TURNS` all end in a text.
"""

import re
from typing import NamedTuple

from toolkit.contracts import Finding
from toolkit.local.model import closing
from toolkit.local.model.blocks import addresses
from toolkit.local.model.compose import Existing
from toolkit.local.model.findings import read_findings
from toolkit.local.model.follow import Plan, is_goodbye, made_before, plan, together
from toolkit.local.model.mend import mend, mendable
from toolkit.local.model.transcript import Call, Transcript

MOST_TURNS = 40
MOST_CHARACTERS = 2_000
NEEDED = {"write_file", "terraform_init", "terraform_validate"}
CHECKS = ("terraform_init", "terraform_validate", "run_validators")
EDITS = ("write_file", "edit_file", "delete_file")
END = "end_conversation"
"""The tool that the agent offers in a chat, `toolkit.agent.farewell`."""


class Step(NamedTuple):
    """What to answer: tool calls (name and arguments), or a text that ends the turn."""

    calls: tuple[tuple[str, dict[str, str]], ...] = ()
    text: str = ""


def next_step(transcript: Transcript) -> Step:
    """The next step for this history."""
    if len(transcript.prompt) > MOST_CHARACTERS:
        return Step(text=closing.too_long(len(transcript.prompt), MOST_CHARACTERS))
    if is_goodbye(transcript.prompt):
        return _goodbye(transcript)
    wishes = together(transcript.earlier, transcript.prompt)
    if wishes.unknown or not wishes.wishes:
        return Step(text=closing.refusal(wishes))
    if not transcript.tools >= NEEDED:
        return Step(text=closing.no_tools(sorted(NEEDED - transcript.tools)))
    if transcript.turns >= MOST_TURNS:
        return Step(text=closing.gave_up("it took too many turns", ()))
    return _gather(transcript)


def _goodbye(transcript: Transcript) -> Step:
    """The end of the conversation, where there is a tool for it."""
    if END in transcript.tools:
        return Step(((END, {"farewell": closing.FAREWELL}),))
    return Step(text=closing.FAREWELL)


def _gather(transcript: Transcript) -> Step:
    """Look at what is there, write, then check."""
    if not any(call.tool in (*EDITS, *CHECKS) for call in transcript.calls):
        listing = transcript.last("list_files")
        if listing is None and "list_files" in transcript.tools:
            return Step((("list_files", {}),))
        present = listed(listing)
        read = {call.arguments.get("path") for call in transcript.calls if call.tool == "read_file"}
        # What lies in a folder is another module, whose names are its own.
        ours = made_before(transcript.earlier)
        missing = [
            path
            for path in present
            if path not in read and (path in ours or (path.endswith(".tf") and "/" not in path))
        ]
        if missing and "read_file" in transcript.tools:
            return Step(tuple(("read_file", {"path": path}) for path in missing))
        return _write(plan(transcript.earlier, transcript.prompt, existing(transcript)))
    return _check(transcript)


def _write(planned: Plan) -> Step:
    """The files that are new or change; a text where there is nothing to write."""
    wishes = planned.wishes
    if not wishes.wishes:
        return Step(text=closing.refusal(wishes))
    if planned.composition.clashes:
        return Step(text=closing.clash(planned.composition.clashes, wishes))
    if wishes.beyond or planned.composition.loose:
        return Step(text=closing.too_much(wishes, planned.composition.loose))
    if not planned.files and not planned.gone:
        return Step(text=closing.unchanged(wishes))
    written = [("write_file", {"path": path, "content": text}) for path, text in planned.files.items()]
    return Step((*written, *(("delete_file", {"path": path}) for path in planned.gone)))


def _check(transcript: Transcript) -> Step:
    """After writing: init, validate, and a closing text; findings go to be mended."""
    refused = [call for call in transcript.calls if call.tool == "write_file" and _refused(call)]
    if any(call.arguments.get("path", "").endswith(".tf") for call in refused):
        return Step(text=closing.gave_up(f"a file was refused: {refused[0].result}", ()))
    edited = _last_index(transcript, EDITS)
    unheard = bool(transcript.gates) and transcript.gates[-1][0] > edited
    if unheard or any(_failed(call) for call in transcript.calls[edited + 1 :]):
        return _mend(transcript, _told(transcript))
    done = {call.tool for call in transcript.calls[edited + 1 :]}
    for check in ("terraform_init", "terraform_validate"):
        if check not in done:
            return Step(((check, {}),))
    return Step(text=_closing(transcript, [call.arguments["path"] for call in refused]))


def _closing(transcript: Transcript, refused: list[str]) -> str:
    """The text that ends a turn well; after the gate spoke, it says what was mended."""
    check = transcript.last(*CHECKS)
    if check is not None and not is_ok(check.result):
        return closing.gave_up(check.result or "a check gave no result", ())
    if transcript.gates:
        paths = [
            c.arguments.get("path", "")
            for c in transcript.calls[transcript.gates[-1][0] :]
            if c.tool in EDITS
        ]
        return closing.mended(paths)
    planned = plan(transcript.earlier, transcript.prompt, existing(transcript))
    return closing.summary(planned.wishes, planned.composition, refused)


def _mend(transcript: Transcript, told: tuple[str, ...]) -> Step:
    """Mend what the newest findings name; give up where they were told before or no mend is known."""
    findings = read_findings(told[-1])
    if not findings:
        return Step(text=closing.gave_up(told[-1], ()))
    if any(_same(findings, read_findings(earlier)) for earlier in told[:-1]):
        return Step(text=closing.gave_up("the same findings came back after a mend", findings))
    known = [finding for finding in findings if mendable(finding)]
    if not known:
        return Step(text=closing.gave_up("it knows no mend", findings))
    since = _since_told(transcript)
    read = {call.arguments.get("path") for call in since if call.tool == "read_file"}
    unread = [path for path in dict.fromkeys(f.file for f in known) if path not in read]
    if unread:
        return Step(tuple(("read_file", {"path": path}) for path in unread))
    contents = {path: content(transcript, path) for path in dict.fromkeys(f.file for f in known)}
    changed = _mended(known, contents)
    if not changed:
        return Step(text=closing.gave_up("its mends change nothing", findings))
    return Step(tuple(("write_file", {"path": path, "content": text}) for path, text in changed.items()))


def _mended(findings: list[Finding], contents: dict[str, str]) -> dict[str, str]:
    """The files that a mend changed. From the last line up, so that the line numbers stay right."""
    texts = dict(contents)
    for finding in sorted(findings, key=lambda f: (f.validator == "fmt", -f.line)):
        texts[finding.file] = mend(finding, texts[finding.file]) or texts[finding.file]
    return {path: text for path, text in texts.items() if text != contents[path]}


def _told(transcript: Transcript) -> tuple[str, ...]:
    """Every text with complaints since the prompt, in order: failed checks and messages of the gate."""
    said = [(i, 1, call.result or "") for i, call in enumerate(transcript.calls) if _failed(call)]
    said += [(at - 1, 2, text) for at, text in transcript.gates]
    return tuple(text for _, _, text in sorted(said))


def _since_told(transcript: Transcript) -> tuple[Call, ...]:
    """The calls after the newest complaint."""
    checks = [i + 1 for i, call in enumerate(transcript.calls) if _failed(call)]
    return transcript.calls[max([*checks, *[at for at, _ in transcript.gates]]) :]


def _failed(call: Call) -> bool:
    """Whether the call is a check that did not end well."""
    return call.tool in CHECKS and not is_ok(call.result)


def is_ok(result: str | None) -> bool:
    """Whether a check's text says that all is well."""
    return (result or "").lstrip().lower().startswith("ok")


def _refused(call: Call) -> bool:
    """Whether the agent asked for another try in place of carrying the call out."""
    return "Fix the errors and try again" in (call.result or "")


def _same(left: tuple[Finding, ...], right: tuple[Finding, ...]) -> bool:
    """Whether the findings are the same, wherever their lines moved."""
    return {(f.validator, f.rule, f.file, f.message) for f in left} == {
        (f.validator, f.rule, f.file, f.message) for f in right
    }


def _last_index(transcript: Transcript, tools: tuple[str, ...]) -> int:
    """Where the latest call of one of these tools stands, or -1."""
    return max((i for i, call in enumerate(transcript.calls) if call.tool in tools), default=-1)


def listed(listing: Call | None) -> list[str]:
    """The paths out of a listing, whose lines are `PATH (N bytes)`; a bare path will do."""
    lines = (listing.result or "").splitlines() if listing else []
    found = (re.fullmatch(r"(.+) \(\d+ bytes\)|(\S+\.\w+)", line.strip(" -*")) for line in lines)
    return [match[1] or match[2] for match in found if match]


def existing(transcript: Transcript) -> Existing:
    """What was in the workspace before this prompt: the first listing, and the files that were read then."""
    first = next((call for call in transcript.calls if call.tool == "list_files"), None)
    paths = listed(first)
    texts = {
        call.arguments["path"]: call.result or ""
        for call in transcript.calls[: _first_edit(transcript)]
        if call.tool == "read_file" and call.arguments.get("path") in paths
    }
    return Existing(frozenset(paths), frozenset().union(*map(addresses, texts.values())), texts)


def _first_edit(transcript: Transcript) -> int:
    """Where the first edit stands, or the end."""
    return next((i for i, call in enumerate(transcript.calls) if call.tool in EDITS), len(transcript.calls))


def content(transcript: Transcript, path: str) -> str:
    """The newest content of a file that is known: what was written last, else what was read last."""
    for call in reversed(transcript.calls):
        if call.arguments.get("path") == path and call.tool == "write_file" and not _refused(call):
            return call.arguments.get("content", "")
    reads = [c.result for c in transcript.calls if c.tool == "read_file" and c.arguments.get("path") == path]
    return (reads[-1] if reads else "") or ""
