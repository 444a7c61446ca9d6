SELECT s.contact_id, s.seq, s.queue, s.entered_at, s.wait_ms, s.result, s.in_target, s.short,
       s.outcome, s.raw_outcome, s.target_kind, s.target, s.agent, s.talk_ms, s.talk_count,
       s.hold_ms, s.wrap_ms, s.threshold_ms, s.day, s.goal, s.variant,
       s.entered_at >= {from} AND s.entered_at < {to} AS in_range,
       s.result NOT IN ('refused', 'lost') AND CASE s.variant
         WHEN 'answered' THEN s.result = 'answered'
         WHEN 'ans_abn' THEN s.result IN ('answered', 'abandoned')
         WHEN 'ans_abn_short' THEN s.result = 'answered' OR (s.result = 'abandoned' AND NOT s.short)
         WHEN 'ans_abn_flow' THEN s.result <> 'waiting'
         WHEN 'no_abandon' THEN NOT (s.result = 'abandoned' AND s.in_target)
         ELSE TRUE END AS sl_over,
       coalesce(s.in_target AND (s.result = 'answered'
         OR (s.result = 'abandoned' AND s.variant IN ('positive_abandon', 'removed'))
         OR (s.outcome = 'callback' AND s.variant = 'removed')), FALSE) AS sl_in
FROM callboard.queue_stays s
WHERE s.day BETWEEN {first_day} AND {last_day}
