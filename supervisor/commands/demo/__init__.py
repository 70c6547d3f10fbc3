"""`supervisor demo`: an engine, this worker and an emulated device, each a program of its own, and jobs that misbehave.

Everything is real: HTTP, child processes, SSH, SIGKILL. The demo only starts the programs, submits jobs and looks.
"""
