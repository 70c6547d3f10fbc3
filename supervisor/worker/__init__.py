"""The worker as the engine sees it: it registers, sends heartbeats, polls, starts jobs and delivers their results.

`daemon` puts it together and owns what runs for as long as the worker does.
"""
