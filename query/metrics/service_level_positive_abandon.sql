-- title: Service level, early abandons as met
-- meaning: (Answered in target + abandoned in target) / offered
-- unit: ratio
-- source: Variant positive_abandon: Teams sl_met_positive_abandon, Asterisk ServiceLevelPerf2
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: entry, answer, abandon, wait
CAST((sum(answered_in_target) + sum(abandoned_in_target)) AS DOUBLE) / nullif(sum(offered) - sum(lost), 0)
