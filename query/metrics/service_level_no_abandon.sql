-- title: Service level, early abandons left out
-- meaning: Answered in target / (offered - abandoned in target)
-- unit: ratio
-- source: Variant no_abandon: Teams sl_met_no_abandon
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: entry, answer, abandon, wait
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(offered) - sum(lost) - sum(abandoned_in_target), 0)
