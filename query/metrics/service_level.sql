-- title: Service level
-- meaning: Share of the answered stays that were answered within the queue's threshold; the variant that holds unless a target names another
-- unit: ratio
-- source: Variant answered: Asterisk ServiceLevelPerf, Teams handled
-- attribution: The quarter of an hour in which the stay entered the queue
-- basis: string_agg(DISTINCT CAST(threshold_ms AS VARCHAR), ' ')
-- unlike: the thresholds of the queues, in milliseconds, are not the same
-- base: queue_intervals
-- dims: queue, interval_start, day
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(answered), 0)
