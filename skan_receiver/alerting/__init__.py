"""What is not well, looked for every minute, shown, and told.

rules       what is looked for: a file each, and their table of contents
thresholds  where a rule begins, and what somebody changed of that
ledger      what was found, as alerts that open, are told again, and end
channels    who is told, and how: a file for each kind
telling     what waits to be told, sent
watch       the worker's part of all this
"""
