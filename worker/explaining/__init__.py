"""Why a rule is or is not open on an account, and when that changes by itself.

`explain` answers it, with what `ahead` sees of the days to come; `words` say it.
"""
