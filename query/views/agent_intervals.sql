-- One row per span of an agent in exactly one state, disjoint. Of overlapping spans the first of
-- talk, hold, ringing, wrapup, paused, available, unknown holds. A talk is the conversation
-- without its own holds, so a hold shows unless the agent talks to somebody else meanwhile.
-- Available lasts from the first login or queue membership to the last; paused is the union of
-- the pauses in the agent's queues. Otherwise offline, or unknown where the platform does not
-- tell when the agent is logged in.
-- table: agent_intervals
SELECT s.agent,
       CASE WHEN s.state <> 'none' THEN s.state WHEN k.agent IS NULL THEN 'unknown' ELSE 'offline' END AS state,
       s.reason, s.started_at, s.ended_at, CAST(s.started_at AS DATE) AS day
FROM internal.agent_steps s
LEFT JOIN internal.agent_known k ON k.agent = s.agent
