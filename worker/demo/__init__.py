"""The demo: a made-up company, a year of its customers, and what tiewatch should say of them."""
