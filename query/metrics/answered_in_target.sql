-- title: Answered in target
-- meaning: Stays answered within the queue's threshold
-- unit: contacts
-- source: Counts per queue as used by Genesys, Amazon Connect and Asterisk
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer, wait
sum(answered_in_target)
