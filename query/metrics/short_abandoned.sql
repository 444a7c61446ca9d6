-- title: Short abandons
-- meaning: Stays abandoned within the queue's short threshold
-- unit: contacts
-- source: Genesys short abandon
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: abandon, wait
sum(short_abandoned)
