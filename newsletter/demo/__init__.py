"""Everything on one machine, to try out: a newsletter with invented subscribers, and a mailbox for every mail it
sends.
"""
