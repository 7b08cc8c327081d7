"""What came of bringing the index up to date."""

from dataclasses import dataclass, field


@dataclass
class Ingested:
    """How many objects and records were new, and what could not be read."""

    objects: int = 0
    records: int = 0
    problems: list[str] = field(default_factory=list)
