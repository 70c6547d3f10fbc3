"""Bombs of every kind, under a worker without capabilities, cgroup or priority."""
