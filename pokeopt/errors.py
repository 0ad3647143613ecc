"""Errors raised on purpose. Each says where, what and the mend; its class says what the caller does next."""


class PokeoptError(Exception):
    """Raised on purpose; its parts stay positional, so it survives pickling between workers.

    Args:
        where: The place to look at: ``file:line (key)``, a file, or a study.
        what: What is wrong there, in one line.
        mend: What to do about it, in one line.
    """

    exit_code = 1

    def __init__(self, where: str, what: str, mend: str) -> None:
        super().__init__(where, what, mend)
        self.where, self.what, self.mend = where, what, mend

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.mend}"


class UserError(PokeoptError):
    """The user's input is wrong: nothing is run, nothing is written, exit code 2."""

    exit_code = 2


class SpecError(UserError):
    """A YAML file, a ``--set`` or a component's settings cannot be used."""


class DataError(UserError):
    """Images or labels cannot be used."""


class IdentityError(UserError):
    """A study of this name exists and is another experiment."""


class StoreError(PokeoptError):
    """The storage cannot be opened, read or written."""


class TrialError(PokeoptError):
    """One trial cannot go on; the study does."""


class ShapeError(TrialError):
    """Tensors do not fit each other."""


class StudyError(PokeoptError):
    """The whole study cannot go on."""
