"""The subcommands of `digits`, one file each."""
