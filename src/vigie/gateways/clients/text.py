"""Text that came from outside, made fit to be kept and shown."""


def clean(text: str, limit: int = 200) -> str:
    """Text from outside as the database and a log line can hold it."""
    shown = "".join(character if character.isprintable() else "�" for character in text)
    return shown if len(shown) <= limit else shown[: limit - 1] + "…"
