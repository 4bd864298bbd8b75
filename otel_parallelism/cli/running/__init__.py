"""What ``run`` needs: the program in this process, the reports of its turns, and those of its child processes."""
