"""The parts of the JSON Schema that `rulefiles/schema.py` puts together, a file each."""
