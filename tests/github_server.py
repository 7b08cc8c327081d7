"""GitHub as far as `--pr` goes: a server that holds every request against GitHub's own description.

`requests` has what came. What does not fit the description (a path, a parameter, a header, a body) is
answered with 599 and kept in `wrong`, which each test finds empty. An answer of ours that does not fit is
wrong as well.
"""

import copy
import json
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import parse_qsl, urlsplit

from jsonschema import Draft202012Validator

DESCRIBED = json.loads((Path(__file__).parent / "data" / "github-openapi.json").read_text("utf-8"))
TOKEN = "ghp_" + "0123456789abcdefghijklmnopqrstuvwxyz"
OWNER, NAME = "acme", "shop"


def problems(schema: dict[str, Any], value: Any) -> list[str]:
    """What of a value does not fit a schema of the description."""
    whole = {**schema, "components": DESCRIBED["components"]}
    return [f"{e.json_path}: {e.message[:200]}" for e in Draft202012Validator(whole).iter_errors(value)]


class Asked(NamedTuple):
    """A request."""

    operation: str
    path: dict[str, str]
    query: dict[str, str]
    body: Any
    authorization: str


class GitHubServer:
    """One repository. `refuse[operation]` is a status and a message to answer with instead."""

    def __init__(self) -> None:
        self.requests: list[Asked] = []
        self.wrong: list[str] = []
        self.refuse: dict[str, tuple[int, str]] = {}
        self.pulls: dict[int, dict[str, Any]] = {}
        self.permissions = {"admin": False, "push": True, "pull": True}
        self.archived = False
        self.url = ""

    def bodies(self, operation: str) -> list[Any]:
        """What was sent to an operation, in order."""
        return [asked.body for asked in self.requests if asked.operation == operation]

    def answer(self, method: str, target: str, headers: dict[str, str], raw: bytes) -> tuple[int, Any]:
        """Status and document for a request."""
        parts = urlsplit(target)
        name, path = _operation(method, parts.path)
        described = DESCRIBED["operations"].get(name)
        if described is None:
            return self._wrong(f"no such operation: {method} {parts.path}")
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        body = json.loads(raw) if raw else None
        asked = Asked(described["operationId"], path, query, body, headers.get("authorization", ""))
        self.requests.append(asked)
        if found := [*_misplaced(described, path, query, body), *_headers(headers, raw)]:
            return self._wrong(f"{name}: {'; '.join(found)}")
        if asked.authorization not in (f"token {TOKEN}", f"Bearer {TOKEN}"):
            return 401, {"message": "Bad credentials", "documentation_url": "https://docs.github.com/rest"}
        if asked.operation in self.refuse:
            status, said = self.refuse[asked.operation]
            return status, {"message": "Validation Failed", "errors": [{"message": said}]}
        if (path["owner"].lower(), path["repo"].lower()) != (OWNER, NAME):
            return 404, {"message": "Not Found"}
        made = self._do(asked, copy.deepcopy(described["example"]))
        if made is None:
            return 404, {"message": "Not Found"}
        if found := problems(described["answer"], made):
            return self._wrong(f"our answer to {name}: {found}")
        return described["status"], made

    def _wrong(self, what: str) -> tuple[int, Any]:
        self.wrong.append(what)
        return 599, {"message": what}

    def _do(self, asked: Asked, example: Any) -> Any:
        number = int(asked.path.get("pull_number") or asked.path.get("issue_number") or 0)
        if number and number not in self.pulls:
            return None
        match asked.operation:
            case "repos/get":
                return self._repository(example)
            case "pulls/list":
                head = asked.query.get("head", "").partition(":")[2]
                found = [p for p in self.pulls.values() if p["state"] == "open" and p["head"]["ref"] == head]
                return found
            case "pulls/create":
                return self._opened(example, asked.body)
            case "pulls/get":
                return self.pulls[number]
            case "pulls/request-reviewers":
                return self.pulls[number]
            case _:
                return example

    def _repository(self, example: Any) -> Any:
        base = f"{self.url}/repos/{OWNER}/{NAME}"
        example |= {"name": NAME, "full_name": f"{OWNER}/{NAME}", "url": base, "language": None}
        example |= {"permissions": self.permissions, "archived": self.archived, "default_branch": "main"}
        example["owner"]["login"] = OWNER
        for key in ("source", "parent", "template_repository"):
            example.pop(key, None)
        return example

    def _opened(self, example: Any, body: dict[str, Any]) -> Any:
        number = len(self.pulls) + 41
        base = f"{self.url}/repos/{OWNER}/{NAME}"
        example |= {"number": number, "state": "open", "title": body["title"], "body": body["body"]}
        example |= {"url": f"{base}/pulls/{number}", "issue_url": f"{base}/issues/{number}"}
        example |= {"html_url": f"https://github.com/{OWNER}/{NAME}/pull/{number}", "requested_teams": []}
        example["draft"] = body.get("draft", False)
        example["head"]["ref"], example["base"]["ref"] = body["head"], body["base"]
        self.pulls[number] = example
        return example


def _operation(method: str, path: str) -> tuple[str, dict[str, str]]:
    """The described operation of a request and the values in its path."""
    for name in DESCRIBED["operations"]:
        verb, template = name.split(" ")
        pattern = re.sub(r"\\{(\w+)\\}", r"(?P<\1>[^/]+)", re.escape(template))
        if verb == method.lower() and (found := re.fullmatch(pattern, path)):
            return name, found.groupdict()
    return f"{method.lower()} {path}", {}


def _misplaced(
    described: dict[str, Any], path: dict[str, str], query: dict[str, str], body: Any
) -> list[str]:
    """What of a request does not fit its description."""
    found: list[str] = []
    known: dict[str, dict[str, Any]] = {"path": {}, "query": {}}
    for parameter in described["parameters"]:
        if "$ref" in parameter:
            parameter = DESCRIBED["components"]["parameters"][parameter["$ref"].rsplit("/", 1)[1]]
        known[parameter["in"]][parameter["name"]] = parameter["schema"]
    for place, given in (("path", path), ("query", query)):
        for name, value in given.items():
            schema = known[place].get(name)
            if schema is None:
                found.append(f"no {place} parameter {name}")
            else:
                found += problems(schema, int(value) if schema.get("type") == "integer" else value)
    if described["body"] is None:
        return found + (["a body"] if body is not None else [])
    # A key that the description does not have is let through by JSON Schema, and is a mistake of ours.
    names = _properties(described["body"])
    extra = sorted(set(body) - names) if isinstance(body, dict) else []
    return found + problems(described["body"], body) + [f"no key {name} in the body" for name in extra]


def _properties(schema: dict[str, Any]) -> set[str]:
    inner = [*schema.get("oneOf", []), *schema.get("anyOf", []), *schema.get("allOf", [])]
    return set(schema.get("properties", {})).union(*(_properties(one) for one in inner))


def _headers(headers: dict[str, str], raw: bytes) -> list[str]:
    """https://docs.github.com/en/rest/using-the-rest-api/getting-started-with-the-rest-api#headers"""
    found = [] if headers.get("user-agent", "").startswith("tfkit/") else ["no User-Agent of ours"]
    if raw and not headers.get("content-type", "").startswith("application/json"):
        found.append(f"Content-Type {headers.get('content-type')}")
    return found


@contextmanager
def served() -> Iterator[GitHubServer]:
    """The server, for as long as the block goes."""
    github = GitHubServer()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, document = github.answer(self.command, self.path, headers, raw)
            content = json.dumps(document).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def __getattr__(self, name: str) -> Any:
            if name.startswith("do_"):  # every other method is looked at in the same way
                return self.do_POST
            raise AttributeError(name)

        def log_message(self, *_arguments: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    github.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
