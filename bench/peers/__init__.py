"""This judge against others, on the same inputs."""
