-- title: Longest wait
-- meaning: Longest wait of a stay that has ended, however it ended
-- unit: ms
-- source: Common definition
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: wait
greatest(max(wait_ms_max), max(abandoned_ms_max), max(timed_out_ms_max), max(overflowed_ms_max), max(no_agent_ms_max), max(left_other_ms_max))
