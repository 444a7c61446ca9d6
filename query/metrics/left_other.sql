-- title: Left otherwise
-- meaning: Stays that left by key press, callback, transfer, voicemail or withdrawal
-- unit: contacts
-- source: Counts per queue as used by Genesys, Amazon Connect and Asterisk
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: left_other
sum(left_other)
