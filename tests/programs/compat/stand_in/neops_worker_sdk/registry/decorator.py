"""The decorator."""

from .registry import registry


def register_function_block(reg):
    def register(cls):
        registry.register(cls, reg)
        return cls

    return register
