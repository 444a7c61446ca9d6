-- title: Hold
-- meaning: Mean hold within a talk; not known where no source tells of holds
-- unit: ms
-- source: Amazon Connect customer hold time
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: hold
CAST(sum(hold_ms_sum) AS DOUBLE) / nullif(sum(talk_count), 0)
