-- One row per span of an agent in exactly one state, disjoint. Of overlapping spans the first of talk,
-- hold, ringing, wrapup, paused, available, unknown holds; where none does, `none`. agent_intervals and
-- now_agents are these.
-- hidden
-- recent
-- column agent: Agent
-- column state: talk, hold, ringing, wrapup, paused, available, unknown, none
-- column reason: Reason of a pause
-- column started_at (UTC): Since when state and reason are the same
-- column ended_at (UTC): Until when; NULL for the last
-- column known: 1 where the platform told when this agent is logged in, else 0
WITH spans AS (
  SELECT agent, state, reason, contact_id, started_at, ended_at, known
  FROM callboard.agent_spans
  WHERE ended_at IS NULL OR ended_at > started_at
), holds AS (
  SELECT h.agent, greatest(h.started_at, t.started_at) AS from_at,
         CASE WHEN h.ended_at IS NULL THEN t.ended_at
              WHEN t.ended_at IS NULL THEN h.ended_at
              ELSE least(h.ended_at, t.ended_at) END AS to_at
  FROM spans h
  JOIN spans t ON t.contact_id = h.contact_id AND t.agent = h.agent
  WHERE h.state = 'hold' AND t.state = 'talk'
    AND (t.ended_at IS NULL OR h.started_at < t.ended_at)
    AND (h.ended_at IS NULL OR h.ended_at > t.started_at)
), marks AS (
  SELECT agent, CASE WHEN d > 0 THEN started_at ELSE ended_at END AS at, state, d,
         CASE WHEN d > 0 THEN reason END AS reason, known
  FROM (SELECT agent, started_at, ended_at, state, reason, known, unnest([1, -1]) AS d FROM spans)
  UNION ALL
  SELECT agent, CASE WHEN d < 0 THEN from_at ELSE to_at END, 'talk', d, NULL, 0
  FROM (SELECT agent, from_at, to_at, unnest([-1, 1]) AS d FROM holds)
), steps AS (
  SELECT agent, agent_step(state, d, reason, known, at) OVER (PARTITION BY agent ORDER BY at) AS step
  FROM marks
  WHERE at IS NOT NULL
)
SELECT agent, step['state'] AS state, step['reason'] AS reason, step['started_at'] AS started_at,
       step['ended_at'] AS ended_at, step['known'] AS known
FROM steps
WHERE step IS NOT NULL
