"""Takes each feature of `docs/operators/features.md` away, one at a time, and looks whether its test fails."""
