-- One row per point in time at which an agent's state may change, with the state from there to the
-- next point. Of overlapping spans the first of talk, hold, ringing, wrapup, paused, available,
-- unknown holds; where none does, `none`. agent_intervals and now_agents are made from these.
-- hidden
-- recent
-- column agent: Agent
-- column at (UTC): The point
-- column until (UTC): The next one; NULL at the last
-- column state: talk, hold, ringing, wrapup, paused, available, unknown, none
-- column reason: Reason of a pause
-- column known: 1 where the platform told up to here when this agent is logged in, else 0
-- column since (UTC): Since when state and reason are the same
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
), points AS (
  SELECT agent, at,
         sum(CASE WHEN state = 'talk' THEN d ELSE 0 END) AS talk,
         sum(CASE WHEN state = 'hold' THEN d ELSE 0 END) AS hold,
         sum(CASE WHEN state = 'ringing' THEN d ELSE 0 END) AS ringing,
         sum(CASE WHEN state = 'wrapup' THEN d ELSE 0 END) AS wrapup,
         sum(CASE WHEN state = 'paused' THEN d ELSE 0 END) AS paused,
         sum(CASE WHEN state = 'available' THEN d ELSE 0 END) AS available,
         sum(CASE WHEN state = 'unknown' THEN d ELSE 0 END) AS unknown,
         max(reason) AS reason, max(known) AS known
  FROM marks
  WHERE at IS NOT NULL
  GROUP BY agent, at
), running AS (
  SELECT agent, at,
         sum(talk) OVER w AS talk, sum(hold) OVER w AS hold, sum(ringing) OVER w AS ringing,
         sum(wrapup) OVER w AS wrapup, sum(paused) OVER w AS paused,
         sum(available) OVER w AS available, sum(unknown) OVER w AS unknown,
         last_value(reason) IGNORE NULLS OVER w AS reason,
         lead(at) OVER (PARTITION BY agent ORDER BY at) AS until,
         max(known) OVER w AS known
  FROM points
  WINDOW w AS (PARTITION BY agent ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), named AS (
  SELECT agent, at, until, known,
         CASE WHEN talk > 0 THEN 'talk' WHEN hold > 0 THEN 'hold' WHEN ringing > 0 THEN 'ringing'
              WHEN wrapup > 0 THEN 'wrapup' WHEN paused > 0 THEN 'paused'
              WHEN available > 0 THEN 'available'
              WHEN unknown > 0 THEN 'unknown' ELSE 'none' END AS state,
         CASE WHEN talk <= 0 AND hold <= 0 AND ringing <= 0 AND wrapup <= 0 AND paused > 0
              THEN nullif(reason, '') END AS reason
  FROM running
), changes AS (
  SELECT agent, at, until, state, reason, known,
         CASE WHEN state = lag(state) OVER (PARTITION BY agent ORDER BY at)
               AND reason IS NOT DISTINCT FROM lag(reason) OVER (PARTITION BY agent ORDER BY at)
              THEN NULL ELSE at END AS changed_at
  FROM named
)
SELECT agent, at, until, state, reason, known,
       max(changed_at) OVER (PARTITION BY agent ORDER BY at
                             ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS since
FROM changes
