"""What is stored, and what is made of it."""

from datetime import timedelta

AT_ONCE = timedelta(0)  # the rollups' marks are worked off without waiting for quiet
