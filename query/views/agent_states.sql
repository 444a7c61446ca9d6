-- One row per span of an agent's own state on one track, as the platform told it, cut at UTC midnight.
-- table: agent_states
SELECT * FROM internal.agent_states
