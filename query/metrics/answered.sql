-- title: Answered
-- meaning: Stays that an agent answered
-- unit: contacts
-- source: Counts per queue as used by Genesys, Amazon Connect and Asterisk
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer
sum(answered)
