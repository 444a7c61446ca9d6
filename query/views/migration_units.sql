-- One row per contact with what a migration moves it by: platform, site, line of business, group of
-- agents, IVR stage.
-- column contact_id: Contact
-- column source: Platform and instance that told of it
-- column platform: Platform, the first word of the source
-- column instance: Instance, the second
-- column site: Site
-- column line_of_business: Line of business
-- column team: Team of the last agent at that time (agents.csv), else of the last queue (queues.csv)
-- column ivr_stage: What this platform did of it: ivr only (menu or bot), agents only (queue or talk), blended; NULL where neither
-- column started_at (UTC): First sign of the contact
-- column day: UTC day of the contact's partition; a bound on it reads less
WITH parts AS (
  SELECT contact_id, day,
         max(CASE WHEN kind IN ('menu', 'bot') THEN 1 ELSE 0 END) AS ivr,
         max(CASE WHEN kind IN ('queue', 'talk') THEN 1 ELSE 0 END) AS served
  FROM internal.segments
  GROUP BY contact_id, day
), served_by AS (
  SELECT contact_id, day, started_at, source, 'agent' AS entity, agent AS id FROM callboard.contacts
  UNION ALL
  SELECT contact_id, day, started_at, source, 'queue' AS entity, queue AS id FROM callboard.contacts
), own AS (
  SELECT s.contact_id, s.day, n.entity, n.team
  FROM served_by s
  JOIN internal.names n
    ON n.platform = s.source AND n.entity = s.entity AND n.id = s.id
  WHERE n.team IS NOT NULL
    AND (n.valid_from IS NULL OR s.started_at >= n.valid_from)
    AND (n.valid_to IS NULL OR s.started_at < n.valid_to)
), teams AS (
  SELECT contact_id, day,
         coalesce(min(CASE WHEN entity = 'agent' THEN team END), min(team)) AS team
  FROM own
  GROUP BY contact_id, day
)
SELECT c.contact_id, c.source, split_part(c.source, '/', 2) AS platform,
       split_part(c.source, '/', 3) AS instance, c.site, c.line_of_business, t.team,
       CASE WHEN p.ivr = 1 AND p.served = 1 THEN 'blended'
            WHEN p.ivr = 1 THEN 'ivr only'
            WHEN p.served = 1 THEN 'agents only' END AS ivr_stage,
       c.started_at, c.day
FROM callboard.contacts c
LEFT JOIN parts p ON p.contact_id = c.contact_id AND p.day = c.day
LEFT JOIN teams t ON t.contact_id = c.contact_id AND t.day = c.day
