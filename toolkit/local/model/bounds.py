"""Numbers as AWS takes them; one that had to move is told."""

Values = dict[str, str]


def bounded(values: Values, notes: list[str], **limits: tuple[int, int]) -> Values:
    """The numbers within their limits; what had to move is told in `notes`."""
    result: Values = {}
    for name, (low, high) in limits.items():
        wanted = number(values[name])
        result[name] = str(min(max(wanted, low), high))
        if result[name] != str(wanted):
            notes.append(
                f"{name.replace('_', ' ')} is {result[name]}: AWS takes {low} to {high}, not {wanted}."
            )
    return result


def number(text: str) -> int:
    """A whole number; what is switched off counts as none."""
    return int(text) if text.isdecimal() else 0


_RETENTION = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922,
              3288, 3653)  # fmt: skip


def retention(days: str, notes: list[str]) -> str:
    """The number of days, or the next longer period that CloudWatch Logs has."""
    wanted = int(days) if days.isdecimal() else 30
    nearest = next((d for d in _RETENTION if d >= wanted), _RETENTION[-1])
    if nearest != wanted:
        notes.append(f"Logs are kept for {nearest} days: CloudWatch has no retention of {wanted}.")
    return str(nearest)


def identifier(name: str, most: int = 63) -> str:
    """The name as RDS, Redshift and ElastiCache take it: lower case, single hyphens, a letter first."""
    text = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower())
    text = "-".join(part for part in text.split("-") if part) or "main"
    return (text if text[0].isalpha() else f"r-{text}")[:most].rstrip("-")
