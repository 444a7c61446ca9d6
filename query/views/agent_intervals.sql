-- One row per span of an agent in exactly one state, disjoint. Of overlapping spans the first of
-- talk, hold, ringing, wrapup, paused, available, unknown holds. A talk is the conversation
-- without its own holds, so a hold shows unless the agent talks to somebody else meanwhile.
-- Available lasts from the first login or queue membership to the last; paused is the union of
-- the pauses in the agent's queues. Otherwise offline, or unknown where the platform does not
-- tell when the agent is logged in.
-- table: agent_intervals
-- recent
WITH spans AS (
  SELECT agent, state, reason, contact_id, started_at, ended_at, known
  FROM callboard.agent_spans
  WHERE ended_at IS NULL OR ended_at > started_at
), cuts AS (
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
  SELECT agent, started_at AS at, state, 1 AS d, reason, known FROM spans
  UNION ALL
  SELECT agent, ended_at, state, -1, NULL, known FROM spans WHERE ended_at IS NOT NULL
  UNION ALL
  SELECT agent, from_at, 'talk', -1, NULL, 0 FROM cuts
  UNION ALL
  SELECT agent, to_at, 'talk', 1, NULL, 0 FROM cuts WHERE to_at IS NOT NULL
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
  GROUP BY agent, at
), running AS (
  SELECT agent, at,
         sum(talk) OVER w AS talk, sum(hold) OVER w AS hold, sum(ringing) OVER w AS ringing,
         sum(wrapup) OVER w AS wrapup, sum(paused) OVER w AS paused,
         sum(available) OVER w AS available, sum(unknown) OVER w AS unknown,
         last_value(reason) IGNORE NULLS OVER w AS reason,
         lead(at) OVER (PARTITION BY agent ORDER BY at) AS until,
         max(known) OVER (PARTITION BY agent) AS known
  FROM points
  WINDOW w AS (PARTITION BY agent ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), named AS (
  SELECT agent, at, until,
         CASE WHEN talk > 0 THEN 'talk' WHEN hold > 0 THEN 'hold' WHEN ringing > 0 THEN 'ringing'
              WHEN wrapup > 0 THEN 'wrapup' WHEN paused > 0 THEN 'paused'
              WHEN available > 0 THEN 'available'
              WHEN unknown > 0 OR known = 0 THEN 'unknown' ELSE 'offline' END AS state,
         CASE WHEN talk <= 0 AND hold <= 0 AND ringing <= 0 AND wrapup <= 0 AND paused > 0
              THEN nullif(reason, '') END AS reason
  FROM running
), steps AS (
  SELECT agent, at, until, state, reason,
         CASE WHEN state = lag(state) OVER (PARTITION BY agent ORDER BY at)
               AND reason IS NOT DISTINCT FROM lag(reason) OVER (PARTITION BY agent ORDER BY at)
              THEN 0 ELSE 1 END AS step
  FROM named
), islands AS (
  SELECT agent, at, until, state, reason,
         sum(step) OVER (PARTITION BY agent ORDER BY at
                         ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS island
  FROM steps
)
SELECT agent, state, reason, min(at) AS started_at,
       CASE WHEN count(*) = count(until) THEN max(until) END AS ended_at,
       CAST(min(at) AS DATE) AS day
FROM islands
GROUP BY agent, island, state, reason
