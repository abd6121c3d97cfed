"""Writing an issue, checking and previewing it, and rendering it for each reader."""
