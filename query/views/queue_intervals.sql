-- One row per queue and quarter of an hour of queue entry; every count and sum is of the stays
-- that entered in it. In every row offered = answered + abandoned + timed_out + overflowed +
-- no_agent + left_other + lost + waiting.
-- table: queue_intervals
-- recent
SELECT queue, interval_start,
       {stay_counts},
       CAST(interval_start AS DATE) AS day
FROM callboard.queue_stays
GROUP BY queue, interval_start
