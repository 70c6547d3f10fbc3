"""The decisions of a job's and of the worker's life, as pure state machines: events in, commands out.

No I/O, no clock, no asyncio: time comes with the events. `supervisor.job.execution` does the commands for a job,
`supervisor.worker.shutdown` those for the worker.
"""
