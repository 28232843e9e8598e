"""The services of the notes example: the Python standard library and nothing else."""
