"""A city that behaves like one, and the replay of recorded data: sources of readings."""
