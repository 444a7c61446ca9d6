-- title: Average wait
-- meaning: Mean wait of all stays that have ended, however they ended
-- unit: ms
-- source: Common definition
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: wait
CAST((sum(wait_ms_sum) + sum(abandoned_ms_sum) + sum(timed_out_ms_sum) + sum(overflowed_ms_sum) + sum(no_agent_ms_sum) + sum(left_other_ms_sum)) AS DOUBLE) / nullif(sum(answered) + sum(abandoned) + (sum(timed_out) + sum(overflowed) + sum(no_agent) + sum(left_other)), 0)
