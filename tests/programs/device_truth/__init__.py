"""Is the output of a command ever cut off? Lines like the prompt, and a pause anywhere."""
