"""What the company says about its processing: the public notice, the record (GDPR art. 30), processors and breaches."""
