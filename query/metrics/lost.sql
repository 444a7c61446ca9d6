-- title: Lost
-- meaning: Stays whose end never came; no rate counts them as answered or abandoned
-- unit: contacts
-- source: Own definition: an end that is not known is not guessed
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: waiting
sum(lost)
