"""The stories by what happens in them; `stories` has all of them."""
