"""Many turns as one picture: sums over groups, patterns of findings, and the comparison of two inputs."""
