"""The Slack face: slash command, mentions, threads, buttons."""
