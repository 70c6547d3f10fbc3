"""The fixtures of the labs, for all tests and examples below. They come with the plugin, too."""

from sdk.testing.plugin import simple_frr, simple_iol

__all__ = ["simple_frr", "simple_iol"]
