SELECT s.contact_id, s.seq, s.queue, s.entered_at, s.wait_ms, s.result, s.in_target, s.short,
       s.outcome, s.raw_outcome, s.target_kind, s.target, s.agent, s.talk_ms, s.talk_count,
       s.hold_ms, s.wrap_ms, s.threshold_ms, s.day, t.goal,
       coalesce(t.variant, 'answered') AS variant,
       s.entered_at >= {from} AND s.entered_at < {to} AS in_range,
       s.result NOT IN ('refused', 'lost') AND CASE coalesce(t.variant, 'answered')
         WHEN 'answered' THEN s.result = 'answered'
         WHEN 'ans_abn' THEN s.result IN ('answered', 'abandoned')
         WHEN 'ans_abn_short' THEN s.result = 'answered' OR (s.result = 'abandoned' AND NOT s.short)
         WHEN 'ans_abn_flow' THEN s.result <> 'waiting'
         WHEN 'no_abandon' THEN NOT (s.result = 'abandoned' AND s.in_target)
         ELSE TRUE END AS sl_over,
       coalesce(s.in_target AND (s.result = 'answered'
         OR (s.result = 'abandoned' AND t.variant IN ('positive_abandon', 'removed'))
         OR (s.outcome = 'callback' AND t.variant = 'removed')), FALSE) AS sl_in
FROM callboard.queue_stays s
LEFT JOIN (
  SELECT a.queue, a.variant, a.goal, a.begins, a.valid_to, min(b.begins) AS next_from
  FROM (
    SELECT target_id, queue, variant, goal, valid_to,
           coalesce(valid_from, to_timestamp_micros(-2208988800000000)) AS begins
    FROM callboard.queue_targets WHERE metric = 'service_level'
  ) a
  LEFT JOIN (
    SELECT target_id, queue, coalesce(valid_from, to_timestamp_micros(-2208988800000000)) AS begins
    FROM callboard.queue_targets WHERE metric = 'service_level'
  ) b ON b.queue = a.queue
     AND (b.begins > a.begins OR (b.begins = a.begins AND b.target_id > a.target_id))
  GROUP BY a.target_id, a.queue, a.variant, a.goal, a.begins, a.valid_to
) t ON t.queue = s.queue AND s.entered_at >= t.begins
   AND (t.valid_to IS NULL OR s.entered_at < t.valid_to)
   AND (t.next_from IS NULL OR s.entered_at < t.next_from)
WHERE s.day BETWEEN {first_day} AND {last_day}
