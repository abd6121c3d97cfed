"""The listener: where bounces, complaints and unsubscribing mails come in by SMTP and LMTP."""
