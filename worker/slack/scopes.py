"""What the Slack app may do, and what for: the scopes of slack/manifest.yaml."""

SCOPES = {
    "chat:write": "post alerts, and edit them as flags move",
    "im:write": "open the direct messages with a rep",
    "im:history": "look for an alert in direct messages before it would be sent again",
    "channels:history": "do the same in public channels",
    "groups:history": "do the same in private channels that invited the app",
    "channels:read": "find a public channel that is given by its name",
    "groups:read": "do the same for private channels that invited the app",
    "users:read": "tell members of the workspace from guests when they click",
    "users:read.email": "find a rep who has no `slack_user` by their e-mail address",
    "commands": "answer `/tiewatch`",
}
"""Bot scopes, and what tiewatch could not do without each."""
