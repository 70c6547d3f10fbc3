"""The worker as the engine sees it: it registers, beats, polls, hands jobs out and delivers their results.

`daemon` puts it together and owns what runs for as long as the worker does.
"""
