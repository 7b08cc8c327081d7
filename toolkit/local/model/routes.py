"""The routes file: which model stands behind a profile. Deploy writes it; read again when it changes."""

import threading
from pathlib import Path
from typing import Literal

import msgspec


class Route(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What answers for one profile: the offline composer, or an OpenAI-compatible endpoint."""

    kind: Literal["composer", "openai"]
    url: str = ""
    model: str = ""


class Routes:
    """The routes as the file has them now; an absent file has none. Safe to ask from several threads."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._seen: tuple[int, int] | None = None
        self._routes: dict[str, Route] = {}

    def find(self, profile: str) -> Route | None:
        """The route of a profile, or None. Raises `ValueError` where the file cannot be understood."""
        with self._lock:
            self._refresh()
            return self._routes.get(profile)

    def _refresh(self) -> None:
        """Read the file again if its time or size differ from what was read last."""
        try:
            stat = self._path.stat()
            now = (stat.st_mtime_ns, stat.st_size)
            if now == self._seen:
                return
            self._routes = msgspec.json.decode(self._path.read_bytes(), type=dict[str, Route])
            self._seen = now
        except FileNotFoundError:
            self._routes.clear()
            self._seen = None
        except (OSError, msgspec.DecodeError) as error:
            self._routes.clear()
            self._seen = None
            raise ValueError(f"the routes file {self._path} cannot be read: {error}") from error
