"""The special features of each platform: its commands, its refusals, and what its answers mean."""
