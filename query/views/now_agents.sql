-- One row per agent seen today or yesterday: the state now.
-- column agent: Agent
-- column state: offline, available, ringing, talk, hold, wrapup, paused, unknown
-- column reason: Reason of a pause
-- column since (UTC): Since when
-- column for_ms (ms): For how long
SELECT i.agent, i.state, i.reason, i.started_at AS since,
       greatest(0, CAST(c.now AS BIGINT) - CAST(i.started_at AS BIGINT)) / 1000 AS for_ms
FROM internal.agent_intervals_recent i CROSS JOIN internal.clock c
WHERE i.ended_at IS NULL
