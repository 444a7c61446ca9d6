-- title: Wrap-up
-- meaning: Mean wrap-up after a talk; not known where no source tells of it
-- unit: ms
-- source: Amazon Connect after contact work, Genesys tAcw
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: wrap_up
CAST(sum(wrap_ms_sum) AS DOUBLE) / nullif(sum(talk_count), 0)
