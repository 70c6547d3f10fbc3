"""The blocks that ask network devices, or change them: one family, with the same ways to reach a device."""
