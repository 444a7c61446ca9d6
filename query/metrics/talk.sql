-- title: Talk
-- meaning: Mean talk after a stay, holds included
-- unit: ms
-- source: Teams, Asterisk: talk includes hold
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: talk
CAST(sum(talk_ms_sum) AS DOUBLE) / nullif(sum(talk_count), 0)
