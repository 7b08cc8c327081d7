"""The texts that end a turn: what was made, what was assumed, what could not be done, and who speaks."""

from collections.abc import Sequence

from toolkit.contracts import Finding
from toolkit.local.model.compose import DEFAULT_REGION, Composition
from toolkit.local.model.details import details, plain_topic
from toolkit.local.model.links import Made
from toolkit.local.model.prompt import known_titles
from toolkit.local.model.recipe import load_book
from toolkit.local.model.spelling import guesses
from toolkit.local.model.wish import Wishes

NAME = "offline-composer"
WHO = f"Written by {NAME}, which is no language model: it put recipes together by the words of the prompt."
CONNECT = (
    "To connect a real model: `tfkit up --llm http://127.0.0.1:11434/v1 --llm-model NAME` "
    "(Ollama, vLLM, llama.cpp or any other OpenAI-compatible server)."
)

FAREWELL = f"Goodbye. Your files stay as they are. ({NAME}, which is no language model.)"


def summary(wishes: Wishes, composition: Composition, refused: Sequence[str]) -> str:
    """What was made, from which words, and with which defaults."""
    lines = ["The configuration is written, and terraform init and validate accept it.", "", "Made:"]
    for made in composition.made:
        statements = composition.statements.get(made.address, "")
        lines.append(f"- {_instance(made, plain_topic(made, statements))}")
        lines += [f"  {line}" for line in details(made, statements)]
    if composition.links:
        lines += ["", "Wired:", *(f"- {link}" for link in composition.links)]
    notes = list(composition.notes) + _remarks(wishes, composition, refused)
    lines += ["", "To know:", *(f"- {note}" for note in notes)]
    if wishes.ignored:
        words = ", ".join(wishes.ignored)
        lines += ["", f"No recipe took up these words of the prompt, so look whether they matter: {words}."]
    return "\n".join([*lines, "", WHO])


def refusal(wishes: Wishes) -> str:
    """A prompt that no recipe, or not every recipe, is there for: nothing is written."""
    if wishes.unknown:
        lacks = ", ".join(wishes.unknown)
        first = f"I have no recipe for: {lacks}. Nothing was written, not even the parts that I know."
    else:
        first = "I recognise no AWS resource that I have a recipe for in this prompt. Nothing was written."
        first += _meant(wishes)
    known = f"I know: {', '.join(known_titles())}."
    who = f"This is {NAME}, which is no language model and only puts recipes together."
    return f"{first}\n\n{known}\n\n{who} {CONNECT}"


def too_much(wishes: Wishes, loose: Sequence[str] = ()) -> str:
    """A prompt that says more than the recipes take up: nothing is written, for half of it would mislead.

    `loose` is what exists already, and no recipe can wire to the rest.
    """
    words = ", ".join([*(f"{title} (which exists)" for title in loose), *wishes.beyond])
    book = load_book().recipes
    titles = ", ".join(dict.fromkeys(book[wish.kind].title for wish in wishes.wishes))
    return (
        f"I can make: {titles}. But these words ask for more than I know: {words}. "
        f"Nothing was written, not even the parts that I know.{_meant(wishes)}\n\n"
        f"Ask for less, or connect a real model. This is {NAME}, which is no language model and only puts "
        f"recipes together. {CONNECT}"
    )


def _meant(wishes: Wishes) -> str:
    """Words that look like misspelt ones that some recipe knows."""
    meant = guesses(wishes.ignored)
    said = ", ".join(f"{word} (did you mean {guess}?)" for word, guess in meant.items())
    return f"\nPerhaps misspelt: {said}." if said else ""


def unchanged(wishes: Wishes) -> str:
    """A follow-up that no recipe makes anything of."""
    words = f" No recipe took up: {', '.join(wishes.ignored)}." if wishes.ignored else ""
    return (
        "I read this together with what you asked for before, and it comes to the same files. Nothing was "
        f"written.{words}\n\n{WHO} {CONNECT}"
    )


def clash(there: Sequence[str], wishes: Wishes) -> str:
    """What is asked for is there already: to change it would take understanding."""
    left = f" I would not have understood these words either: {', '.join(wishes.beyond)}." * bool(
        wishes.beyond
    )
    return (
        f"The configuration has this already: {', '.join(there)}. Nothing was written: I only add new "
        f"resources, and cannot change, replace or complete a block that is there.{left}\n\n"
        f"This is {NAME}, which is no language model and only puts recipes together. {CONNECT}"
    )


def no_tools(missing: Sequence[str]) -> str:
    """The request offers no tools to work with."""
    names = ", ".join(missing)
    return f"This is {NAME}, which is no language model. It works with tools that were not offered: {names}."


def too_long(length: int, most: int) -> str:
    """A prompt that matching words makes no sense of any more."""
    limit = f"It reads up to {most} characters, not {length}."
    return f"This is {NAME}, which is no language model. {limit} {CONNECT}"


def gave_up(reason: str, findings: Sequence[Finding]) -> str:
    """What could not be mended."""
    lines = [f"I could not finish: {reason.strip()[:1000]}"]
    lines += [f"- {f.file}:{f.line} [{f.validator}/{f.rule}] {f.message}{_known(f.rule)}" for f in findings]
    return "\n".join([*lines, "", f"{WHO} It mends only what it knows. {CONNECT}"])


def _known(rule: str) -> str:
    """Why a recipe fails a check, where that is so by intent."""
    reasons = [r.fails[rule] for r in load_book().recipes.values() if rule in r.fails]
    return f" (by intent: {reasons[0]})" if reasons else ""


def mended(paths: Sequence[str]) -> str:
    """What was changed after the gate spoke."""
    return f"Mended what I know a mend for, in {', '.join(dict.fromkeys(paths))}.\n\n{WHO}"


def _instance(made: Made, plain: bool) -> str:
    """One resource with what was asked for and what was assumed; a plain one is not encrypted after all."""
    hidden = {"egress", "dead", "soon"} | ({"encryption"} if plain else set())
    options = [
        o for o in made.recipe.options if not o.many and made.values[o.name] != "" and o.name not in hidden
    ]
    said = made.wish.asked - made.wish.guessed
    asked = [_asked(o.name, made) for o in options if o.name in said]
    assumed = [
        _option(o.name, made)
        for o in options
        if o.name not in said and (made.values[o.name] not in ("0", "off") or o.name in made.wish.asked)
    ]
    text = f'{made.recipe.title} "{made.values["name"]}"' + ("" if made.wish.named else " (name assumed)")
    text += f"; asked: {', '.join(asked)}" if asked else ""
    return text + (f"; assumed: {', '.join(assumed)}" if assumed else "")


def _asked(name: str, made: Made) -> str:
    """An option as it was asked for; a number that AWS does not take as asked is told with that number."""
    wanted, given = made.wish.options.get(name, ""), made.values[name]
    moved = wanted.isdecimal() and given.isdecimal() and wanted != given
    return _option(name, made) + (f" (not {wanted}, as asked)" if moved else "")


def _option(name: str, made: Made) -> str:
    """`versioning on`, `max receive 3`."""
    return f"{name.replace('_', ' ')} {made.values[name]}"


def _remarks(wishes: Wishes, composition: Composition, refused: Sequence[str]) -> list[str]:
    """What goes for the whole."""
    region = wishes.region or f"{DEFAULT_REGION} (assumed)"
    ours = "terraform" in composition.declared
    remarks = [
        f"Region {region}, AWS provider ~> 5.0, no backend: state stays local until one is configured."
    ] * ours
    if any(m.recipe.kind == "lambda_function" for m in composition.made):
        remarks.append(
            "Each Lambda function has a role and a log group of its own. It is deployed from a zip that you "
            "build before apply, for instance "
            "`mkdir -p build && (cd src/NAME && zip -r ../../build/NAME.zip .)`; its path is a variable."
        )
    if any(
        m.recipe.kind == "vpc" and m.values["nat"] == "off" and m.values["private_count"] != "0"
        for m in composition.made
    ):
        remarks.append("Private subnets have no way out: a NAT gateway was not asked for.")
    if wishes.present:
        titles = ", ".join(load_book().recipes[kind].title for kind in wishes.present)
        remarks.append(f"Not made, for the prompt says or its ids show that it exists: {titles}.")
    if wishes.spoken:
        remarks.append(
            f"Not made, for the prompt only speaks of it as using what is made: {', '.join(wishes.spoken)}."
        )
    groups = [m for m in composition.made if m.recipe.kind == "security_group"]
    used = {n for m in composition.made for n in m.values.get("groups", "").splitlines()}
    lone = [m.values["name"] for m in groups if m.wish.name not in used and not m.values["existing"]]
    if lone:
        remarks.append(
            f"Attach to whom it is meant for, nothing made here is in it: group {', '.join(lone)}."
        )
    bare = [
        m.values["name"]
        for m in composition.made
        if m.recipe.kind in ("ec2_instance", "rds_instance")
        and m.values.get("vpc")
        and not m.values.get("group")
    ]
    if bare:
        remarks.append(
            f"Without a security group nothing comes in or out, none was asked for: {', '.join(bare)}."
        )
    remarks += [
        f"{path} was refused by the workspace and is missing: write the function's code yourself."
        for path in refused
    ]
    return remarks
