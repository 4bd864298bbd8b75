"""Where less parallelism would have been better: calls that needed each other, that failed together, or too many."""
