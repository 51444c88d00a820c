"""What every HTTP edge shares: problems, identities, health."""
