"""The portfolio report: all customers together, over a period, for whoever leads the team.

`read` computes it, `document` writes it as JSON and CSV, `page` as one HTML page with `charts`.
"""
