-- title: Overflowed
-- meaning: Stays that left after waiting because of a size rule
-- unit: contacts
-- source: Genesys flow-out by size
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: overflow
sum(overflowed)
