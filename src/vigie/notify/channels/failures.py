"""How sending fails: for good, or for now. `code` has words; the sentence is the provider's."""


class Refused(Exception):
    """The provider will never take this message."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(detail)
        self.code = code


class NotSent(Exception):
    """The provider did not take it now, for certain: it may be tried again."""

    def __init__(self, code: str, detail: str = "") -> None:
        super().__init__(f"{code}: {detail}" if detail else code)
        self.code = code


class Uncertain(Exception):
    """Nobody knows whether the provider took it. What happened is in the message's row, without
    the address; here is only its kind, since logs and the job's error keep this."""
