"""The blocks that read or change network devices. All of them reach a device in the same way."""
