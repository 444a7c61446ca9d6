-- title: Service level with abandons
-- meaning: Answered in target / (answered + abandoned)
-- unit: ratio
-- source: Variant ans_abn: Genesys, short abandons included
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer, abandon, wait
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(answered) + sum(abandoned), 0)
