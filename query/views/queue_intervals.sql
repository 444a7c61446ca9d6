-- One row per queue and quarter of an hour of queue entry; every count and sum is of the stays
-- that entered in it. In every row offered = answered + abandoned + timed_out + overflowed +
-- no_agent + left_other + lost + waiting.
-- table: queue_intervals
-- recent
SELECT queue, interval_start,
       count(*) FILTER (WHERE result <> 'refused') AS offered,
       count(*) FILTER (WHERE result = 'answered') AS answered,
       count(*) FILTER (WHERE result = 'answered' AND in_target) AS answered_in_target,
       count(*) FILTER (WHERE result = 'abandoned') AS abandoned,
       count(*) FILTER (WHERE result = 'abandoned' AND short) AS short_abandoned,
       count(*) FILTER (WHERE result = 'abandoned' AND in_target) AS abandoned_in_target,
       count(*) FILTER (WHERE result = 'timed_out') AS timed_out,
       count(*) FILTER (WHERE result = 'overflowed') AS overflowed,
       count(*) FILTER (WHERE result = 'no_agent') AS no_agent,
       count(*) FILTER (WHERE result = 'left_other') AS left_other,
       count(*) FILTER (WHERE result = 'lost') AS lost,
       count(*) FILTER (WHERE result = 'waiting') AS waiting,
       count(*) FILTER (WHERE result = 'refused') AS refused,
       coalesce(sum(wait_ms) FILTER (WHERE result = 'answered'), 0) AS wait_ms_sum,
       max(wait_ms) FILTER (WHERE result = 'answered') AS wait_ms_max,
       coalesce(sum(wait_ms) FILTER (WHERE result = 'abandoned'), 0) AS abandoned_ms_sum,
       max(wait_ms) FILTER (WHERE result = 'abandoned') AS abandoned_ms_max,
       coalesce(sum(wait_ms) FILTER (WHERE result = 'timed_out'), 0) AS timed_out_ms_sum,
       max(wait_ms) FILTER (WHERE result = 'timed_out') AS timed_out_ms_max,
       coalesce(sum(wait_ms) FILTER (WHERE result = 'overflowed'), 0) AS overflowed_ms_sum,
       max(wait_ms) FILTER (WHERE result = 'overflowed') AS overflowed_ms_max,
       coalesce(sum(wait_ms) FILTER (WHERE result = 'no_agent'), 0) AS no_agent_ms_sum,
       max(wait_ms) FILTER (WHERE result = 'no_agent') AS no_agent_ms_max,
       coalesce(sum(wait_ms) FILTER (WHERE result = 'left_other'), 0) AS left_other_ms_sum,
       max(wait_ms) FILTER (WHERE result = 'left_other') AS left_other_ms_max,
       coalesce(sum(talk_ms), 0) AS talk_ms_sum,
       sum(talk_count) AS talk_count,
       sum(hold_ms) AS hold_ms_sum,
       sum(wrap_ms) AS wrap_ms_sum,
       first_value(threshold_ms ORDER BY entered_at, contact_id) AS threshold_ms,
       CAST(interval_start AS DATE) AS day
FROM callboard.queue_stays
GROUP BY queue, interval_start
