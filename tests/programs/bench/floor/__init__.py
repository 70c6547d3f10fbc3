"""What a process for each job costs at least on this machine, beside what this worker takes (`make bench-floor`)."""
