"""Entry points: they assemble and start, nothing else."""
