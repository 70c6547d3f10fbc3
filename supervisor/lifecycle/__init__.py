"""The decisions of a job's and of the worker's life, as pure state machines: events in, commands out.

No I/O, no clock, no asyncio: time comes with the events. What carries the commands out is `supervisor.job.execution`
for a job and `supervisor.worker.daemon` for the worker.
"""
