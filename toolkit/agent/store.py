"""The artifacts of a run in the runs bucket: `runs/<run_id>/workspace/…`, `statement.json`, `result.json`."""

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from toolkit.contracts import RunResult, Tree, to_json
from toolkit.errors import PlatformError
from toolkit.tables import file_key, result_key, statement_key, tree_key


class Store:
    """Writes below `runs/<run_id>/`. Every method raises `PlatformError` where the bucket refuses."""

    def __init__(self, s3: Any, bucket: str, run_id: str) -> None:
        self._s3 = s3
        self._bucket = bucket
        self._run_id = run_id

    def tree(self, tree: Tree) -> None:
        """The files, byte for byte as they were checked."""
        for path, content in tree.files.items():
            self._put(f"workspace/{path}", file_key(self._run_id, path), content)

    def statement(self, envelope: bytes) -> None:
        """The signed statement, before the outcome; empty bytes withdraw it."""
        self._put("statement.json", statement_key(self._run_id), envelope)

    def of_tree(self, tree: Tree, envelope: bytes) -> None:
        """The same, to be found by the tree; after the outcome, for it outlives the run's own files."""
        self._put("the statement by its tree", tree_key(tree.hash), envelope)

    def result(self, result: RunResult) -> None:
        """The outcome; written last, so whoever finds it finds all the rest."""
        self._put("result.json", result_key(self._run_id), to_json(result))

    def _put(self, name: str, key: str, content: bytes) -> None:
        try:
            self._s3.put_object(Bucket=self._bucket, Key=key, Body=content)
        except (ClientError, BotoCoreError) as error:
            raise PlatformError(f"cannot store {name}: {error}") from error
