-- title: Average speed of answer
-- meaning: Mean wait of the answered stays
-- unit: ms
-- source: ASA: Teams, Genesys tAnswered, Asterisk holdtime
-- attribution: The quarter of an hour in which the stay entered the queue
-- base: queue_intervals
-- dims: queue, interval_start, day
-- needs: answer, wait
CAST(sum(wait_ms_sum) AS DOUBLE) / nullif(sum(answered), 0)
