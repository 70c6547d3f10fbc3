"""The marker of secret fields; a class of its own, as that of the package is."""


class Sensitive:
    pass


SENSITIVE = Sensitive()
