"""The portfolio report: all customers together, over a period, for whoever leads the team.

`accounts` are read one after the other, `read` computes the report's `contents` from them.
`document` writes it as JSON and CSV, `page` as one HTML page with `charts`.
"""
