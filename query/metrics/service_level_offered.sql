-- title: Service level of the offered
-- meaning: Answered in target / offered
-- unit: ratio
-- source: Variant offered: Teams sl_met_negative_abandon, COPC
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: entry, answer, wait
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(offered) - sum(lost), 0)
