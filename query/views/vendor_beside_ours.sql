-- One row per figure of a platform on a queue and a span whose name means one of our metrics: theirs
-- and ours, in our unit, and the difference. Ours is of the contacts of the platform and instance that
-- computed the figure, and of their stays that entered in quarters of an hour that begin in the span,
-- so that spans should begin and end at quarters. A figure of which no platform is told (a table
-- without the column platform, an event whose source has no contacts) is held against all contacts.
-- Platforms may count a contact to another interval (when it ended) or by another formula: that is
-- what the difference shows.
-- column source: Platform and instance that computed it
-- column metric: The platform's own name
-- column our_metric: Our metric of that meaning; see callboard.metrics
-- column queue: Queue
-- column started_at (UTC): Start of the span
-- column ended_at (UTC): End of the span
-- column theirs: The platform's figure: contacts, ratio or ms
-- column ours: Our figure in the same unit; NULL where there was nothing to make it of
-- column difference: Theirs less ours
-- column ours_of: Source of the contacts that ours is made of, a platform alone = all its instances; NULL = all contacts
WITH names AS (
  SELECT column1 AS theirs, column2 AS ours FROM (VALUES
    ('offered', 'offered'), ('answered', 'answered'), ('abandoned', 'abandoned'),
    ('abandon_rate', 'abandon_rate'), ('service_level', 'service_level'),
    ('average_speed_of_answer', 'average_speed_of_answer'), ('handle_time', 'handle_time'),
    ('CONTACTS_QUEUED', 'offered'), ('CONTACTS_ABANDONED', 'abandoned'),
    ('ABANDONMENT_RATE', 'abandon_rate'), ('SERVICE_LEVEL', 'service_level_removed'),
    ('AVG_QUEUE_ANSWER_TIME', 'average_speed_of_answer'), ('AVG_HANDLE_TIME', 'handle_time'),
    ('CONTACTS_HANDLED', 'answered'),
    ('nOffered.count', 'offered'), ('tAnswered.count', 'answered'), ('tAbandon.count', 'abandoned'),
    ('tAnswered.mean', 'average_speed_of_answer'), ('tHandle.mean', 'handle_time'),
    ('oServiceLevel.ratio', 'service_level')
  )
), platforms AS (
  SELECT column1 AS platform FROM (VALUES {platforms})
), heard AS (
  SELECT source FROM internal.contacts
  UNION
  SELECT concat('/', split_part(source, '/', 2)) AS source FROM internal.contacts
), told AS (
  SELECT v.source, v.metric, n.ours AS our_metric, substr(v.scope, 7) AS of_queue,
         v.started_at AS begins, v.ended_at AS ends, split_part(v.source, '/', 2) AS platform,
         CASE v.unit WHEN 'percent' THEN v.value / 100 WHEN 's' THEN v.value * 1000 ELSE v.value END AS theirs
  FROM internal.vendor_metrics v
  JOIN names n ON n.theirs = split_part(v.metric, ' ', 1)
  WHERE starts_with(v.scope, 'queue:') AND v.started_at < v.ended_at
), theirs AS (
  SELECT t.source, t.metric, t.our_metric, t.of_queue, t.begins, t.ends, t.theirs,
         CASE WHEN p.platform IS NULL AND h.source IS NULL THEN '' ELSE t.source END AS of_source
  FROM told t
  LEFT JOIN platforms p ON p.platform = t.platform
  LEFT JOIN heard h ON h.source = t.source
), spans AS (
  SELECT DISTINCT of_source, of_queue, begins, ends FROM theirs
), stays AS (
  SELECT s.*, coalesce(c.source, '') AS source
  FROM callboard.queue_stays s
  LEFT JOIN internal.contacts c ON c.contact_id = s.contact_id AND c.day = s.day
), intervals AS (
  SELECT source, queue, interval_start,
         {stay_counts}
  FROM stays
  GROUP BY source, queue, interval_start
), counted AS (
  SELECT p.of_source, p.of_queue, p.begins, p.ends,
         {metric offered} AS our_offered, {metric answered} AS our_answered,
         {metric abandoned} AS our_abandoned, {metric abandon_rate} AS our_abandon_rate,
         {metric service_level} AS our_service_level,
         {metric average_speed_of_answer} AS our_speed, {metric handle_time} AS our_handle
  FROM spans p
  JOIN intervals ON queue = p.of_queue AND interval_start >= p.begins AND interval_start < p.ends
   AND (p.of_source = '' OR source = p.of_source OR starts_with(source, concat(p.of_source, '/')))
  GROUP BY p.of_source, p.of_queue, p.begins, p.ends
), removed AS (
  SELECT p.of_source, p.of_queue, p.begins, p.ends, {metric service_level_removed} AS our_removed
  FROM spans p
  JOIN stays ON queue = p.of_queue AND interval_start >= p.begins AND interval_start < p.ends
   AND (p.of_source = '' OR source = p.of_source OR starts_with(source, concat(p.of_source, '/')))
  GROUP BY p.of_source, p.of_queue, p.begins, p.ends
), both_told AS (
  SELECT t.source, t.metric, t.our_metric, t.of_queue AS queue, t.begins AS started_at, t.ends AS ended_at,
         t.theirs, nullif(t.of_source, '') AS ours_of,
         CAST(CASE t.our_metric
                WHEN 'offered' THEN coalesce(o.our_offered, 0)
                WHEN 'answered' THEN coalesce(o.our_answered, 0)
                WHEN 'abandoned' THEN coalesce(o.our_abandoned, 0)
                WHEN 'abandon_rate' THEN o.our_abandon_rate
                WHEN 'service_level' THEN o.our_service_level
                WHEN 'service_level_removed' THEN r.our_removed
                WHEN 'average_speed_of_answer' THEN o.our_speed
                WHEN 'handle_time' THEN o.our_handle END AS DOUBLE) AS ours
  FROM theirs t
  LEFT JOIN counted o
    ON o.of_source = t.of_source AND o.of_queue = t.of_queue AND o.begins = t.begins AND o.ends = t.ends
  LEFT JOIN removed r
    ON r.of_source = t.of_source AND r.of_queue = t.of_queue AND r.begins = t.begins AND r.ends = t.ends
)
SELECT source, metric, our_metric, queue, started_at, ended_at, theirs, ours, theirs - ours AS difference,
       ours_of
FROM both_told
