"""Takes from GitHub's description of its REST API what the tests of `--pr` hold requests against.

    npm pack @octokit/openapi, unpack it, then:
    python tests/data/make_github_openapi.py package/generated/api.github.com.json

writes `github-openapi.json` beside this file. The description is GitHub's
(github/rest-api-description, with Octokit's extension; MIT licence, see "x-licence" in the file). Kept are
the operations below with their parameters, bodies, answers and examples, and the schemas that these refer to.
Descriptions are left out, and OpenAPI 3.0's `nullable` is written as JSON Schema has it, so that `jsonschema`
reads it.
"""

import json
import sys
from pathlib import Path
from typing import Any

OPERATIONS = {
    ("/repos/{owner}/{repo}", "get"): "200",
    ("/repos/{owner}/{repo}/pulls", "get"): "200",
    ("/repos/{owner}/{repo}/pulls", "post"): "201",
    ("/repos/{owner}/{repo}/pulls/{pull_number}", "get"): "200",
    ("/repos/{owner}/{repo}/pulls/{pull_number}/requested_reviewers", "post"): "201",
    ("/repos/{owner}/{repo}/issues/{issue_number}/comments", "post"): "201",
    ("/repos/{owner}/{repo}/issues/{issue_number}/labels", "post"): "200",
}
LICENCE = "MIT License Copyright (c) 2020 Octokit contributors; GitHub's description: MIT License (c) GitHub"
DROPPED = {"description", "externalDocs", "x-octokit", "x-github-breaking-changes", "deprecated", "example"}


def plain(value: Any, *, names: bool = False) -> Any:
    """Without prose, and with `nullable` as JSON Schema writes it; `names` are keys that are no keywords."""
    if isinstance(value, list):
        return [plain(one) for one in value]
    if not isinstance(value, dict):
        return value
    kept = {
        key: plain(one, names=key in ("properties", "schemas"))
        for key, one in value.items()
        if names or key not in DROPPED
    }
    if names or not kept.pop("nullable", False):
        return kept
    return {"anyOf": [kept, {"type": "null"}]}


def referred(value: Any, whole: dict[str, Any], found: dict[str, Any]) -> None:
    """Collect the schemas that are referred to, and those that they refer to."""
    if isinstance(value, list):
        for one in value:
            referred(one, whole, found)
    elif isinstance(value, dict):
        name = value.get("$ref")
        if isinstance(name, str) and name not in found:
            kind, key = name.removeprefix("#/components/").split("/")
            found[name] = plain(whole["components"][kind][key])
            referred(found[name], whole, found)
        for one in value.values():
            referred(one, whole, found)


def operation(whole: dict[str, Any], path: str, method: str, status: str) -> dict[str, Any]:
    described = whole["paths"][path][method]
    answer = described["responses"][status]["content"]["application/json"]
    example = next(iter(answer["examples"].values()))
    if "$ref" in example:
        example = whole["components"]["examples"][example["$ref"].rsplit("/", 1)[1]]
    body = described.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
    return {
        "operationId": described["operationId"],
        "parameters": plain(described["parameters"]),
        "body": plain(body),
        "status": int(status),
        "answer": plain(answer["schema"]),
        "example": example["value"],
    }


def main(source: Path) -> None:
    whole = json.loads(source.read_text("utf-8"))
    operations = {f"{m} {p}": operation(whole, p, m, s) for (p, m), s in OPERATIONS.items()}
    found: dict[str, Any] = {}
    for one in operations.values():
        referred([one["parameters"], one["body"], one["answer"]], whole, found)
    components: dict[str, dict[str, Any]] = {}
    for name, value in found.items():
        kind, key = name.removeprefix("#/components/").split("/")
        components.setdefault(kind, {})[key] = value
    document = {
        "x-licence": LICENCE,
        "x-version": whole["info"]["version"],
        "operations": operations,
        "components": components,
    }
    target = Path(__file__).with_name("github-openapi.json")
    target.write_text(
        json.dumps(document, indent=None, separators=(",", ":"), sort_keys=True) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main(Path(sys.argv[1]))
