-- title: Service level without short abandons
-- meaning: Answered in target / (answered + abandoned - short abandons)
-- unit: ratio
-- source: Variant ans_abn_short: Genesys, short abandons left out
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer, abandon, wait
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(answered) + sum(abandoned) - sum(short_abandoned), 0)
