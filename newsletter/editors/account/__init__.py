"""An editor's own account: the password, where they are signed in, and the second factor."""
