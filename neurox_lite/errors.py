"""The one error users are expected to meet: their input is wrong, and here is what to do."""


class InputError(ValueError):
    """Bad input: a file, option or array that cannot be used as given.

    The message is one line that names the file, the sentence or layer, what is wrong and what to
    do. Commands print it and exit with code 2.
    """
