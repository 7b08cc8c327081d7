"""The prompts of `public_prompts.toml`: each is understood rightly, or refused with the right word."""

import re
import tomllib
from pathlib import Path

import pytest

from toolkit.local.model.compose import compose
from toolkit.local.model.prompt import read_prompt

PROMPTS = tomllib.loads((Path(__file__).parent / "public_prompts.toml").read_text())["prompt"]


def faults(prompt: dict) -> list[str]:
    """What is wrong with the answer to a prompt; nothing where it is right."""
    wishes = read_prompt(prompt["text"])
    if "refused" in prompt:
        named = any(prompt["refused"] in title for title in wishes.unknown)
        return [] if named else [f"not refused for {prompt['refused']}: {wishes.unknown}"]
    if wishes.unknown or not wishes.wishes:
        return [f"refused: {wishes.unknown}"]
    kinds = sorted(wish.kind for wish in wishes.wishes)
    if kinds != prompt["only"]:
        return [f"makes {kinds}"]
    code = re.sub(r"[ \t]+", " ", "\n".join(compose(wishes).files.values()))
    made = set(re.findall(r'^resource "(\w+)"', code, re.M))
    found = [f"lacks {kind}" for kind in prompt["makes"] if kind not in made]
    found += [f"does not say {text}" for text in prompt.get("says", []) if not re.search(text, code)]
    return found + [f"has {text}" for text in prompt.get("lacks", []) if text in code]


@pytest.mark.parametrize("prompt", PROMPTS, ids=[p["text"][:40] for p in PROMPTS])
def test_a_prompt_as_people_word_them_is_understood(prompt: dict) -> None:
    assert faults(prompt) == []
