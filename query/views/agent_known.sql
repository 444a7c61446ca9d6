-- One row per agent of whom a platform has ever told when he is logged in.
-- hidden
-- column agent: Agent
SELECT agent
FROM internal.agent_states_whole
WHERE track IN ('presence', 'membership') AND state <> 'offline'
  AND (ended_at IS NULL OR ended_at > started_at)
GROUP BY agent
