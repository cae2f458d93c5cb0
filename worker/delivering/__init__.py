"""From alerts to messages: who hears of them and when, and the ways that messages go."""
