"""Promises kept under fire: real parts and processes, faults by a seeded schedule, a checker."""
