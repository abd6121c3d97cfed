"""The audit trail: who has read or changed what."""
