-- One row per span of an agent in exactly one state, disjoint. Of overlapping spans the first of
-- talk, hold, ringing, wrapup, paused, available, unknown holds. A talk is the conversation
-- without its own holds, so a hold shows unless the agent talks to somebody else meanwhile.
-- Available lasts from the first login or queue membership to the last; paused is the union of
-- the pauses in the agent's queues. Otherwise offline, or unknown where the platform does not
-- tell when the agent is logged in.
-- table: agent_intervals
WITH steps AS (
  SELECT agent, at, until, state, reason, since, max(known) OVER (PARTITION BY agent) AS known
  FROM internal.agent_steps
)
SELECT agent,
       CASE WHEN state <> 'none' THEN state WHEN known = 0 THEN 'unknown' ELSE 'offline' END AS state,
       reason, since AS started_at,
       CASE WHEN count(*) = count(until) THEN max(until) END AS ended_at,
       CAST(since AS DATE) AS day
FROM steps
GROUP BY agent, since, state, reason, known
