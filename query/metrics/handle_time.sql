-- title: Handle time
-- meaning: Mean talk with holds and wrap-up of a handled stay
-- unit: ms
-- source: AHT: (talk incl. hold + wrap-up) / handled, Genesys tHandle
-- attribution: The quarter of an hour in which the stay entered the queue
-- told: sum(wrap_ms_sum)
-- untold: does not tell of wrap-up, which belongs to handle time; compare Talk
-- base: queue_intervals
-- dims: queue, interval_start, day
CAST(sum(talk_ms_sum) + coalesce(sum(wrap_ms_sum), 0) AS DOUBLE) / nullif(sum(talk_count), 0)
