"""What the Slack app may do, and what for: the scopes of slack/manifest.yaml."""

SCOPES = {
    "chat:write": "post alerts, and edit them as flags move",
    "im:write": "open the direct messages with a rep",
    "im:history": "look for an alert in direct messages before it would be sent again",
    "channels:history": "the same in public channels",
    "groups:history": "the same in private channels that invited the app",
    "channels:read": "find a public channel that is given by its name",
    "groups:read": "the same for private channels that invited the app",
    "users:read": "Slack asks for it wherever users:read.email is used",
    "users:read.email": "find a rep who has no slack_user by their e-mail address",
    "commands": "/tiewatch",
}
"""Bot scopes, and what tiewatch cannot do without each."""
