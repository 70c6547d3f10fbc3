"""Which lines `show_command` sends: reading ones only, so that the block can promise to change nothing."""

# Shortened as the devices allow it, down to where it is still clear what is meant.
_READING = {"show": 2, "display": 4, "get": 3}
# Filters that write a file on IOS, NX-OS, EOS and Junos.
_WRITING_FILTERS = ("append", "redirect", "save", "tee")


def reading_command(value: str) -> str:
    """Return one line that only reads.

    Raises:
        ValueError: it is no single line, does not begin with show, display or get, or writes a file.
    """
    line = value.strip()
    if not line.isprintable():
        raise ValueError("must be one line without control characters")
    first = line.split(maxsplit=1)[0].lower() if line else ""
    if not any(word.startswith(first) and len(first) >= least for word, least in _READING.items()):
        raise ValueError("must begin with show, display or get")
    # NX-OS runs what stands behind a semicolon, and writes a file with `>`.
    if ";" in line or ">" in line:
        raise ValueError("must not contain ; or >")
    for filter_text in line.split("|")[1:]:
        name = filter_text.split(maxsplit=1)[0].lower() if filter_text.strip() else ""
        if any(writing.startswith(name) for writing in _WRITING_FILTERS):
            raise ValueError("must not write a file (append, redirect, save or tee behind |)")
    return line
