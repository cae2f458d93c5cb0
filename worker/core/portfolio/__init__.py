"""The portfolio: what all customers together came to over a period, in the field's own figures.

`courses` says what an account was on a day, `contracts` which of its terms ended and whether they
were renewed, `figures` adds up, `cohorts` follows those who began together, and `catalogue` defines
every figure.
"""
