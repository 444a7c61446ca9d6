-- title: Offered
-- meaning: Stays that entered the queue; those refused at the door are outside
-- unit: contacts
-- source: Counts per queue as used by Genesys, Amazon Connect and Asterisk
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: entry
sum(offered)
