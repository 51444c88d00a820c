"""Wire models, version 1: frozen; a change that breaks a reader is a new version."""
