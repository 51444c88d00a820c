"""Who gets which field of which data: one declaration, and the one way to disclose by it."""
