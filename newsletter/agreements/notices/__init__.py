"""What people are shown before they agree: notices, their drafts, versions and differences."""
