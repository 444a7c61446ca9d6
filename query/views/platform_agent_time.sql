-- The time of agent_time but that in which nobody was there, of agents who were on one platform alone
-- on that UTC day: the time of who works on two at once belongs to neither. Site, line of business and
-- group are those that the file of agents says and those of the contacts that he served that day,
-- where they are one.
-- column platform: Platform; NULL where the agent was on several that day
-- column site: Site, of the agent and of what he served that day; NULL where there are several
-- column line_of_business: Line of business, likewise
-- column team: Group of agents, likewise
-- column ivr_stage: Always NULL: an agent's time belongs to no stage
-- column agent: Agent
-- column at (UTC): Start of the quarter of an hour
-- column state: available, ringing, talk, hold, wrapup, paused, unknown
-- column ms (ms): Time in that state within the quarter
-- column day: UTC day; a bound on it reads less
WITH seen AS (
  SELECT a.agent, a.day, split_part(a.source, '/', 2) AS platform, n.site, n.line_of_business, n.team
  FROM internal.agent_states a
  LEFT JOIN internal.names n
    ON n.platform = a.source AND n.id = a.agent AND n.entity = 'agent'
   AND (n.valid_from IS NULL OR a.started_at >= n.valid_from)
   AND (n.valid_to IS NULL OR a.started_at < n.valid_to)
  GROUP BY a.agent, a.day, a.source, n.site, n.line_of_business, n.team
  UNION ALL
  SELECT s.agent, CAST(s.started_at AS DATE) AS day, u.platform, u.site, u.line_of_business, u.team
  FROM callboard.segments s
  JOIN callboard.migration_units u ON u.contact_id = s.contact_id AND u.day = s.day
  WHERE s.kind = 'talk' AND s.agent IS NOT NULL AND s.started_at IS NOT NULL
), days AS (
  SELECT agent, day,
         CASE WHEN min(platform) = max(platform) THEN min(platform) END AS platform,
         CASE WHEN min(site) = max(site) THEN min(site) END AS site,
         CASE WHEN min(line_of_business) = max(line_of_business) THEN min(line_of_business) END AS line_of_business,
         CASE WHEN min(team) = max(team) THEN min(team) END AS team
  FROM seen
  GROUP BY agent, day
)
SELECT d.platform, d.site, d.line_of_business, d.team, CAST(NULL AS VARCHAR) AS ivr_stage,
       t.agent, t.interval_start AS at, t.state, t.ms, d.day
-- The days are few beside the quarters; the left side is the one that is held in memory.
FROM days d
JOIN callboard.agent_time t ON d.agent = t.agent AND d.day = CAST(t.interval_start AS DATE)
WHERE t.state <> 'offline'
