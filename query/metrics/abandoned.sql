-- title: Abandoned
-- meaning: Stays that the customer ended while waiting, short ones included; those the platform dropped too
-- unit: contacts
-- source: Counts per queue as used by Genesys, Amazon Connect and Asterisk
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: abandon
sum(abandoned)
