-- title: Service level with flow-outs
-- meaning: Answered in target / (answered + abandoned + left otherwise)
-- unit: ratio
-- source: Variant ans_abn_flow: Genesys, flow-outs included
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer, abandon, left_other, wait
CAST(sum(answered_in_target) AS DOUBLE) / nullif(sum(answered) + sum(abandoned) + (sum(timed_out) + sum(overflowed) + sum(no_agent) + sum(left_other)), 0)
