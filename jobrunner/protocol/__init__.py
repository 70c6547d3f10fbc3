"""The shared language of supervisor, template and child: frames, messages, caps, kernel calls.

It is the only part of `jobrunner` that the supervisor may import. It knows no block and runs none.
"""
