"""The validators that come with tfkit; each enters through the same entry points as anyone else's."""
