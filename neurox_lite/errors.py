"""The errors users are expected to meet, which say what to do."""

from neurox_lite.escaping import terminal


class InputError(ValueError):
    """Bad input: a file, option or array that cannot be used as given.

    The message is one line that names the file, the sentence or layer, what is wrong and what to
    do. Commands print it and exit with code 2.
    """

    def __str__(self) -> str:
        """One line, whatever the names in it are."""
        return terminal(super().__str__())


class InapplicableError(InputError):
    """A method that this model or these texts do not admit, whatever its options are."""


class UnfinishedError(RuntimeError):
    """Work that could not be finished for a reason outside the input: a full disk, a dead worker.

    The message is one line that says what happened, what is kept and what to do. Commands print
    it and exit with code 1.
    """

    def __str__(self) -> str:
        """One line, whatever the names in it are."""
        return terminal(super().__str__())
