"""What a process needs around itself, and how its messages survive and are read."""
