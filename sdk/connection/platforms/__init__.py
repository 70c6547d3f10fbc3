"""What is special about each platform: its commands, how it refuses them, and what its answers mean."""
