-- title: Refused
-- meaning: Contacts turned away at the door of the queue; outside offered
-- unit: contacts
-- source: Asterisk FULL, Teams overflow
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: refused
sum(refused)
