"""The rules: read whole, those in force, and their tests."""
