"""What several commands need: exit codes, reading of settings and of JSON, and how a result is shown."""
