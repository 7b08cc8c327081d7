"""Turns wishes into files: instances get labels and values, links fill slots, blocks go to their files."""

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from toolkit.local.model.blocks import Block, split_blocks
from toolkit.local.model.derive import complete, derive
from toolkit.local.model.house import House, dressed, place, read_house
from toolkit.local.model.layout import tidy
from toolkit.local.model.links import Made, wire
from toolkit.local.model.naming import label
from toolkit.local.model.patience import patient
from toolkit.local.model.phrases import mentions
from toolkit.local.model.present import Present, variable
from toolkit.local.model.prompt import recipe_of
from toolkit.local.model.reach import locals_for, there, with_arns
from toolkit.local.model.recipe import Recipe, load_book
from toolkit.local.model.template import render
from toolkit.local.model.wish import Wish, Wishes

DEFAULT_REGION = "us-east-1"


class Existing(NamedTuple):
    """What the workspace holds already: nothing of it is declared a second time or written over.

    `texts` are the files at its top that were read, by path; what is new is added to them in their style.
    """

    paths: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    texts: Mapping[str, str] = MappingProxyType({})


class Composition(NamedTuple):
    """The files to write, what was made, and what the user should know about it.

    `clashes` are addresses or names that are there already: then nothing should be written. `declared` are
    the addresses of all blocks that are new, `loose` what the prompt says exists and nothing made refers to.
    """

    files: dict[str, str]
    made: tuple[Made, ...]
    links: tuple[str, ...]
    notes: tuple[str, ...]
    statements: dict[str, str]
    clashes: tuple[str, ...] = ()
    declared: frozenset[str] = frozenset()
    loose: tuple[str, ...] = ()


def compose(wishes: Wishes, existing: Existing | None = None) -> Composition:
    """The files for the wishes beside what exists. Raises nothing for wishes that `read_prompt` made."""
    existing = existing or Existing()
    notes: list[str] = []
    house = read_house(existing.texts)
    wishes = with_arns(_with_the_key(wishes, existing))
    made = _instances(wishes, existing, house, notes)
    wiring = wire(made, wishes.text, load_book(), there(wishes.present))
    made = patient(made, wiring, notes)
    blocks: list[tuple[str, Block]] = []
    sources: dict[str, str] = {}
    statements: dict[str, str] = {}
    for instance in made:
        slots = wiring.slots.get(instance.address, {})
        text = render(instance.recipe.body, instance.values, slots)
        blocks += [(instance.recipe.file, block) for block in split_blocks(tidy(text))]
        sources |= _sources(instance, slots)
        statements[instance.address] = "".join(slots.get("statements", ()))
    for file, text in wiring.bodies:
        blocks += [(file, block) for block in split_blocks(tidy(text))]
    reached = locals_for(wishes.present, "".join(block.text for _, block in blocks))
    blocks += [("s3", block) for block in split_blocks(reached)]
    blocks += _variables(blocks, wishes)
    base = render(load_book().base, {"region": wishes.region or DEFAULT_REGION}, {})
    blocks = _base(split_blocks(tidy(base)), blocks, existing) + blocks
    if existing.texts:
        assumed = [m.values["name"] for m in made if not m.wish.named]
        blocks = [(file, dressed(block, house, assumed)) for file, block in blocks]
    files = _files(blocks, existing, house)
    files |= {path: text for path, text in sources.items() if path not in existing.paths}
    clashes = _clashes(made, existing, house)
    if existing.texts:
        notes += _beside(made, house)
    return Composition(
        files=files,
        made=tuple(made),
        links=wiring.links,
        notes=tuple(dict.fromkeys(notes)),
        statements=statements,
        clashes=clashes,
        declared=frozenset(block.address for _, block in blocks) - existing.addresses,
        loose=_loose(blocks, wishes, made),
    )


def _with_the_key(wishes: Wishes, existing: Existing) -> Wishes:
    """The wishes, with the one key of the configuration in place of a new one that nobody asked for.

    "Encrypted with KMS" speaks of a key, "a KMS key" asks for one.
    """
    keys = [address for address in sorted(existing.addresses) if address.startswith("aws_kms_key.")]
    implied = [w for w in wishes.wishes if w.kind == "kms_key" and not w.name and not _asks(wishes.text, w)]
    if len(keys) != 1 or not implied or len(implied) == len(wishes.wishes):
        return wishes
    rest = tuple(wish for wish in wishes.wishes if wish not in implied)
    key = Present({"arn": f"{keys[0]}.arn"}, {})
    return wishes._replace(wishes=rest, present={**wishes.present, "kms_key": key})


def _asks(text: str, wish: Wish) -> bool:
    """Whether the words ask for a new one: an article before it, and a noun in it."""
    before = re.search(
        r"\b(?:an?|another|new|own|separate|\d+)(?: [\w-]+)? $", text[: max(wish.start, 0)], re.I
    )
    return bool(before) and bool(re.search(r"\bkeys?\b", text[wish.start : wish.end], re.I))


def _beside(made: list[Made], house: House) -> list[str]:
    """What to know of code that was put beside other code."""
    notes = ["Added to what is there; its versions, provider, region and backend are as they were."]
    named = [m.values["name"] for m in made if m.wish.named]
    if house.prefix and named:
        notes.append(f"Named as asked, without the prefix {house.prefix} of the others: {', '.join(named)}.")
    return notes


def _loose(blocks: list[tuple[str, Block]], wishes: Wishes, made: list[Made]) -> tuple[str, ...]:
    """What exists by the prompt, and is in none of the blocks, or not wired as the prompt says."""
    text = "\n".join(block.text for _, block in blocks)
    kinds = {m.recipe.kind for m in made}
    missed = {
        kind
        for link in load_book().links
        for kind, other in ((link.a, link.b), (link.b, link.a))
        if kind in wishes.present and other in kinds and not link.reaches
        if link.when and mentions(link.when, wishes.text) and not mentions(link.unless, wishes.text)
    }
    return tuple(
        load_book().recipes[kind].title
        for kind, present in wishes.present.items()
        if kind in missed or not any(one.strip('[]"') in text for one in present.expressions.values())
    )


def _base(base: list[Block], blocks: list[tuple[str, Block]], existing: Existing) -> list[tuple[str, Block]]:
    """Versions, provider and their variables; beside code that is there only variables that are spoken of."""
    text = "\n".join(block.text for _, block in blocks)
    wanted = [
        block
        for block in base
        if not existing.texts
        or (block.type == "variable" and re.search(rf"\bvar\.{block.address.partition('.')[2]}\b", text))
    ]
    return [("versions", block) for block in wanted]


def _clashes(made: list[Made], existing: Existing, house: House) -> tuple[str, ...]:
    """What was asked for by a name, and is there: to change it is more than a recipe can do."""
    found: list[str] = []
    for instance in made:
        if not instance.wish.name:
            continue
        type_ = _type(instance.recipe)
        address = f"{type_}.{label(instance.wish.name)}"
        if address in existing.addresses:
            found.append(address)
        elif (type_, instance.wish.name) in house.names:
            found.append(f'{type_} "{instance.wish.name}"')
    return tuple(found)


def _type(recipe: Recipe) -> str:
    """The type of the resource that a recipe is about: the one that others refer to."""
    match = re.search(r"\b(aws_\w+)\.__label__", " ".join(recipe.exports.values()))
    return match[1] if match else ""


def _instances(wishes: Wishes, existing: Existing, house: House, notes: list[str]) -> list[Made]:
    """Every wish with its values; references to other instances are put in once all have their labels."""
    made: list[Made] = []
    for wish in wishes.wishes:
        recipe = recipe_of(wish)
        alike = [w for w in wishes.wishes if w.kind == wish.kind and w.name == wish.name]
        name = wish.name or recipe.base
        if len(alike) > 1:
            name = f"{name}-{sum(m.wish.kind == wish.kind and m.wish.name == wish.name for m in made) + 1}"
        taken = {m.values["label"] for m in made if m.recipe is recipe}
        if not wish.name:
            name = _unused(name, _type(recipe), house)
        values = {**wish.options, "label": _free(label(name), taken, existing), "name": name}
        values["dlq_asked"] = "on" if "dlq" in wish.asked else "off"
        values["named"] = "on" if wish.named else "off"
        values["position"] = str(sum(m.recipe is recipe for m in made))
        made.append(Made(recipe, wish, {**values, **derive(recipe.kind, values, notes)}))
    for index, instance in enumerate(made):
        made[index] = instance._replace(values={**instance.values, **_references(instance, made, wishes)})
    for index, instance in enumerate(made):
        further = complete(instance.recipe.kind, instance.values)
        made[index] = instance._replace(values={**instance.values, **further})
    return made


def _free(wanted: str, taken: set[str], existing: Existing) -> str:
    """The label, or the first numbered one that nothing carries."""
    used = taken | {address.rpartition(".")[2] for address in existing.addresses}
    if wanted not in used:
        return wanted
    return next(f"{wanted}_{n}" for n in range(2, 10_000) if f"{wanted}_{n}" not in used)


def _unused(wanted: str, type_: str, house: House) -> str:
    """A name of ours, or the first numbered one that no resource of the type has."""
    names = (wanted, *(f"{wanted}-{n}" for n in range(2, 10_000)))
    return next(name for name in names if (type_, name) not in house.names)


def _references(instance: Made, made: list[Made], wishes: Wishes) -> dict[str, str]:
    """`vpc` = on, `vpc_id` = aws_vpc.main.id and so on, for each kind it is wired to and that there is."""
    values: dict[str, str] = {}
    for use in instance.recipe.uses:
        partners = [m for m in made if m.recipe.kind == use.kind]
        inside = instance.values.get(f"in_{use.slot}") == "on"
        wanted = not use.phrases or mentions(use.phrases, wishes.text) or inside
        if not partners and wanted and use.kind in wishes.present:
            values |= _present(use.slot, wishes.present[use.kind])
        if not partners or use.slot == "covers" or not wanted:
            continue
        if use.slot == "group":
            values |= _groups(instance, partners)
            continue
        alike = [m for m in made if m.recipe is instance.recipe]
        partner = partners[alike.index(instance)] if len(alike) == len(partners) else partners[0]
        values[use.slot] = "on"
        for name, expression in partner.recipe.exports.items():
            values[f"{use.slot}_{name}"] = render(expression, partner.values, {}).strip()
    if instance.recipe.kind == "security_group":
        values["rules"] = "\n".join(_rule(rule, made) for rule in instance.values["rules"].splitlines())
    return values


def _present(slot: str, present: Present) -> dict[str, str]:
    """The values of a slot for something that exists: what names it, or a variable."""
    named = {f"{slot}_{export}": text for export, text in present.expressions.items()}
    return {slot: "on", f"{slot}_exists": "on", **named}


def _variables(blocks: list[tuple[str, Block]], wishes: Wishes) -> list[tuple[str, Block]]:
    """The declarations of the variables for what exists, as far as something refers to them."""
    text = "\n".join(block.text for _, block in blocks)
    return [
        ("variables", block)
        for kind, present in wishes.present.items()
        for name, type_ in present.variables.items()
        if re.search(rf"\bvar\.{name}\b", text)
        for block in split_blocks(variable(name, type_, load_book().recipes[kind].title))
    ]


def _groups(instance: Made, partners: list[Made]) -> dict[str, str]:
    """The security groups that an instance is in, as a list of references."""
    names = instance.values.get("groups", "").splitlines()
    mine = [m for m in partners if m.wish.name in names]
    ids = list(dict.fromkeys(render(m.recipe.exports["id"], m.values, {}).strip() for m in mine))
    return {"group": "on", "group_id": ", ".join(ids), "group_first": ids[0]} if ids else {}


def _rule(rule: str, made: list[Made]) -> str:
    """A rule with the reference to the group it speaks of as its last part."""
    kind, name = rule.split(",")[1:3]
    if kind == "id":
        return f'{rule},"{name}"'
    wanted = {"group": "security_group", "lambda": "lambda_function", "lb": "load_balancer"}.get(kind, "")
    partner = next((m for m in made if m.recipe.kind == wanted and m.wish.name == name), None)
    if partner is None:
        return f"{rule},"
    if partner.values.get("group") == "on" and kind == "lb":
        return f"{rule},{partner.values['group_first']}"
    label_ = partner.values["label"] + {"lambda": "_lambda", "lb": "_lb"}.get(kind, "")
    return f"{rule},aws_security_group.{label_}.id"


def _sources(instance: Made, slots: dict[str, list[str]]) -> dict[str, str]:
    """The files beside the Terraform, such as the code of a function."""
    found: dict[str, str] = {}
    for path, body in instance.recipe.sources:
        text = render(body, instance.values, slots).strip("\n")
        if text:
            found[render(path, instance.values, {}).strip()] = text + "\n"
    return found


def _files(blocks: list[tuple[str, Block]], existing: Existing, house: House) -> dict[str, str]:
    """The blocks by file, each address once: variables and outputs have files of their own.

    Beside code that was read, they go to the end of the file where their like is.
    """
    stems: dict[str, list[Block]] = {}
    seen = set(existing.addresses)
    for file, block in blocks:
        if block.address in seen and block.type != "locals":  # of these there may be several
            continue
        seen.add(block.address)
        stem = {"variable": "variables", "output": "outputs"}.get(block.type, file)
        stems.setdefault(stem, []).append(block)
    if not existing.texts:
        return {_path(stem, existing): tidy("\n".join(b.text for b in bs)) for stem, bs in stems.items()}
    files: dict[str, str] = {}
    for stem, parts in stems.items():
        path = place(stem, parts, house)
        new = tidy("\n".join(block.text for block in parts))
        if (
            path in existing.paths and path not in existing.texts
        ):  # it was not read, and is not ours to replace
            path = _path(stem, existing)
        before = files.get(path) or existing.texts.get(path, "")
        files[path] = f"{before.rstrip(chr(10))}\n\n{new}" if before.strip() else new
    return files


def _path(stem: str, existing: Existing) -> str:
    """A file name that is not taken."""
    candidates = [f"{stem}.tf", *(f"{stem}_{n}.tf" for n in range(2, 1000))]
    return next(path for path in candidates if path not in existing.paths)
