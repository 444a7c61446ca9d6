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
  SELECT queue, at, lead(at) OVER (PARTITION BY queue ORDER BY at) AS until
  FROM edges
), ranked AS (
  SELECT p.queue, p.at AS begins, p.until AS ends, t.target_id, t.variant, t.threshold_ms,
         t.short_ms, t.goal,
         row_number() OVER (PARTITION BY p.queue, p.at
                            ORDER BY t.place, t.begins DESC, t.target_id DESC) AS n
  FROM pieces p
  JOIN targets t ON t.queue = p.queue AND t.begins <= p.at AND t.ends >= p.until
  WHERE p.until IS NOT NULL
)
SELECT queue, begins, ends, target_id, variant, threshold_ms, short_ms, goal
FROM ranked
WHERE n = 1
