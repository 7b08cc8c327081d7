"""A run's objects in the runs bucket: what it is given, its files, its statement, its result.

Whoever may ask may write what a run is given, at any time; so it is named by its hash in the request.
"""

import hashlib
from typing import Any

import msgspec
from botocore.exceptions import BotoCoreError, ClientError

from toolkit.agent.relay import Baton, pack, unpack
from toolkit.checker.message import pack as pack_tree
from toolkit.checker.message import unpack_tree
from toolkit.contracts import AskRequest, HandedOver, RequestInBucket, RunResult, Tree, to_json
from toolkit.errors import PlatformError
from toolkit.tables import (
    attached_key,
    attempt_key,
    baton_key,
    file_key,
    request_key,
    result_key,
    start_key,
    statement_key,
    tree_key,
)


class Store:
    """Reads and writes below `runs/<run_id>/`. All raise `PlatformError` where the bucket refuses."""

    def __init__(self, s3: Any, bucket: str, run_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._run_id = run_id

    def start(self, tree_hash: str) -> Tree:
        """The tree that the run starts from; an empty one for an empty hash."""
        return self._packed("the files to start from", start_key(self._run_id), tree_hash)

    def attached(self, tree_hash: str) -> Tree:
        """The images and texts that go with the prompt; none for an empty hash."""
        return self._packed("what is attached", attached_key(self._run_id), tree_hash)

    def request(self, named: RequestInBucket) -> bytes:
        """The request that was too large for an event, byte for byte the one that was sent."""
        content = self._get("the request", request_key(self._run_id))
        if hashlib.sha256(content).hexdigest() != named.request_sha256:
            raise PlatformError("the request in the bucket is not the one that the event names")
        return content

    def earlier(self) -> RunResult:
        """The outcome of the run, for one that follows it."""
        try:
            return msgspec.json.decode(self._get("the run before", result_key(self._run_id)), type=RunResult)
        except msgspec.MsgspecError as error:
            raise PlatformError(f"the run before cannot be read: {error}") from error

    def baton(self, named: HandedOver) -> Baton:
        """What an earlier invocation of the run has left."""
        content = self._get(f"part {named.part} of the run", baton_key(self._run_id, named.part))
        return unpack(content, named)

    def leave(self, baton: Baton) -> HandedOver:
        """Lay a run down for the next invocation; returns the event that names it."""
        content, named = pack(baton)
        self._put(f"part {named.part} of the run", baton_key(self._run_id, named.part), content)
        return named

    def keep_request(self, request: AskRequest) -> None:
        """The request itself, so that the run can be done again; its hash stands in the run's row."""
        self._put("request.json", request_key(self._run_id), to_json(request))

    def tree(self, tree: Tree) -> None:
        """The files, byte for byte as they were checked."""
        for path, content in tree.files.items():
            self._put(f"workspace/{path}", file_key(self._run_id, path), content)

    def attempt(self, number: int, tree: Tree) -> None:
        """The files as they were at an attempt that did not pass; the first is number 1."""
        self._put(f"attempt {number}", attempt_key(self._run_id, number), pack_tree(tree))

    def statement(self, envelope: bytes) -> None:
        """The signed statement, before the outcome; empty bytes withdraw it."""
        self._put("statement.json", statement_key(self._run_id), envelope)

    def of_tree(self, tree: Tree, envelope: bytes) -> None:
        """The same, to be found by the tree; after the outcome, for it outlives the run's own files."""
        self._put("the statement by its tree", tree_key(tree.hash), envelope)

    def result(self, result: RunResult) -> None:
        """The outcome; written last, so whoever finds it finds all the rest."""
        self._put("result.json", result_key(self._run_id), to_json(result))

    def _packed(self, name: str, key: str, tree_hash: str) -> Tree:
        return unpack_tree(self._get(name, key), tree_hash) if tree_hash else Tree()

    def _get(self, name: str, key: str) -> bytes:
        try:
            content: bytes = self._s3.get_object(Bucket=self._bucket, Key=key)["Body"].read()
        except (ClientError, BotoCoreError) as error:
            raise PlatformError(f"cannot read {name}: {error}") from error
        return content

    def _put(self, name: str, key: str, content: bytes) -> None:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise PlatformError(f"cannot store {name}: {error}") from error
