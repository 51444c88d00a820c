"""Judges readings by rules, keeps incidents in their closed loop, delivers webhooks."""
