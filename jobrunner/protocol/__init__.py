"""The vocabulary shared by supervisor, template and child: frames, messages, caps, kernel calls.

The one part of `jobrunner` that the supervisor may import. It knows no block and runs none.
"""
