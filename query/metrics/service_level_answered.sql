-- title: Service level of the answered
-- meaning: Answered in target / answered
-- unit: ratio
-- source: Variant answered: Asterisk ServiceLevelPerf, Teams sl_met_handled
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer, wait
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(answered), 0)
