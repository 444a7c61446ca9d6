-- query/views/queue_intervals.sql over queue_stays.sql, in DuckDB's words, from the same columns.
WITH parts AS (
  SELECT contact_id, seq, kind, queue, started_at, ended_at, outcome, state, hold_ms, day,
         coalesce(duration_ms, CASE WHEN ended_at IS NOT NULL AND started_at IS NOT NULL
           THEN greatest(0, epoch_us(ended_at) - epoch_us(started_at)) // 1000 END) AS ms,
         last_value(CASE WHEN kind = 'queue' THEN seq END IGNORE NULLS) OVER (
           PARTITION BY day, contact_id, queue ORDER BY seq
           ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS stay
  FROM {segments}
  WHERE kind IN ('queue', 'talk', 'wrapup') AND queue IS NOT NULL
), stays AS (
  SELECT p.day, p.contact_id, p.queue, p.stay AS seq,
         max(CASE WHEN p.kind = 'queue' THEN p.started_at END) AS entered_at,
         max(CASE WHEN p.kind = 'queue' THEN p.ms END) AS ms,
         max(CASE WHEN p.kind = 'queue' THEN p.state END) AS state,
         max(CASE WHEN p.kind = 'queue' THEN p.outcome END) AS outcome,
         sum(CASE WHEN p.kind = 'talk' THEN p.ms END) AS talk_ms,
         count(CASE WHEN p.kind = 'talk' THEN p.ms END) AS talk_count,
         sum(CASE WHEN p.kind = 'talk' THEN p.hold_ms END) AS hold_ms,
         sum(CASE WHEN p.kind = 'wrapup' THEN p.ms END) AS wrap_ms,
         first(t.threshold_ms ORDER BY t.valid_from DESC NULLS LAST, t.target_id DESC NULLS LAST) AS threshold_ms,
         first(t.short_ms ORDER BY t.valid_from DESC NULLS LAST, t.target_id DESC NULLS LAST) AS short_ms
  FROM parts p
  LEFT JOIN targets t
    ON t.queue = p.queue AND p.kind = 'queue' AND p.started_at >= t.valid_from
   AND (t.valid_to IS NULL OR p.started_at < t.valid_to)
  WHERE p.stay IS NOT NULL
  GROUP BY p.day, p.contact_id, p.queue, p.stay
), judged AS (
  SELECT contact_id, queue, entered_at, talk_ms, talk_count, hold_ms, wrap_ms,
         make_timestamptz(epoch_us(entered_at) // 900000000 * 900000000) AS interval_start,
         coalesce(threshold_ms, 20000) AS threshold_ms,
         coalesce(short_ms, 5000) AS short_ms,
         CASE WHEN state = 'lost' THEN 'lost'
              WHEN outcome = 'refused' THEN 'refused'
              WHEN state = 'open' THEN 'waiting'
              WHEN outcome = 'answered' THEN 'answered'
              WHEN outcome IN ('abandoned', 'error') THEN 'abandoned'
              WHEN outcome = 'timeout' THEN 'timed_out'
              WHEN outcome = 'overflow' THEN 'overflowed'
              WHEN outcome = 'no_agents' THEN 'no_agent'
              ELSE 'left_other' END AS result,
         CASE WHEN state IN ('lost', 'open') THEN NULL ELSE ms END AS wait_ms
  FROM stays
  WHERE entered_at IS NOT NULL
), queue_stays AS (
  SELECT *, wait_ms <= threshold_ms AS in_target, wait_ms <= short_ms AS short FROM judged
)
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
       first(threshold_ms ORDER BY entered_at, contact_id) AS threshold_ms,
       CAST(interval_start AS DATE) AS day
FROM queue_stays
GROUP BY queue, interval_start
ORDER BY queue, interval_start
