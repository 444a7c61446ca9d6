-- One row per queue and time in which one target holds for its service level, disjoint. Where two
-- were stated for the same time, one that the configuration or an event states holds before the
-- platform's own, then the one that begins later.
-- column queue: Queue
-- column begins (UTC): From when; the year 1900 = always
-- column ends (UTC): Until when; the year 2200 = still
-- column target_id: The target that holds, of queue_targets
-- column variant: Its formula
-- column threshold_ms (ms): Its threshold
-- column short_ms (ms): Its threshold of short abandons
-- column goal: Its goal
WITH targets AS (
  SELECT target_id, queue, variant, threshold_ms, short_ms, goal,
         CASE WHEN source IS NULL THEN 0 ELSE 1 END AS place,
         coalesce(valid_from, arrow_cast(-2208988800000000, 'Timestamp(Microsecond, Some("UTC"))')) AS begins,
         coalesce(valid_to, arrow_cast(7258118400000000, 'Timestamp(Microsecond, Some("UTC"))')) AS ends
  FROM internal.queue_targets
  WHERE metric = 'service_level'
), edges AS (
  SELECT queue, begins AS at FROM targets
  UNION
  SELECT queue, ends FROM targets
), pieces AS (
  -- Without a window: under a filter on one queue the engine cannot plan one that is parted by queue.
  SELECT a.queue, a.at AS begins, min(b.at) AS ends
  FROM edges a
  JOIN edges b ON b.queue = a.queue AND b.at > a.at
  GROUP BY a.queue, a.at
)
SELECT p.queue, p.begins, p.ends,
       first_value(t.target_id ORDER BY t.place, t.begins DESC, t.target_id DESC) AS target_id,
       first_value(t.variant ORDER BY t.place, t.begins DESC, t.target_id DESC) AS variant,
       first_value(t.threshold_ms ORDER BY t.place, t.begins DESC, t.target_id DESC) AS threshold_ms,
       first_value(t.short_ms ORDER BY t.place, t.begins DESC, t.target_id DESC) AS short_ms,
       first_value(t.goal ORDER BY t.place, t.begins DESC, t.target_id DESC) AS goal
FROM pieces p
JOIN targets t ON t.queue = p.queue AND t.begins <= p.begins AND t.ends >= p.ends
GROUP BY p.queue, p.begins, p.ends
