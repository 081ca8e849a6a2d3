"""Why their number is not ours: both sides as values, compared without a database.

sides       what both sides are, and by which terms each dates what it counts
reasons     why something is on one side only
by_id       compares postback by postback
by_count    compares numbers, where their rows have no ids
waterfall   adds up what both found: theirs + reasons = ours
tables      reads both sides from the store
"""
