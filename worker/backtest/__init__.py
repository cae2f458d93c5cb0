"""Backtests: what rules would have done with the events that are logged, without telling anyone.

`replay` lets the days pass again, `figures` counts what came of each rule, `outcomes` holds that
against the customers who left, `difference` compares two rule sets, and `page` shows it in HTML.
"""
